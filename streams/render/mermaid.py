"""The topology as a Mermaid flowchart: topics as stadiums, stores as cylinders, a box around each sub-topology."""

from __future__ import annotations

from collections.abc import Iterator

from streams.plan.plan import Plan
from streams.render.sketch import steps


def mermaid(plan: Plan) -> str:
    """Text for a ```mermaid block."""
    ids = _Ids()
    inner: list[str] = []
    topics: list[str] = []
    edges: list[str] = []
    kinds = {store.name: store.spec.kind for _, store in plan.stores()}
    for subtopology in plan.subtopologies:
        inner.append(f'    subgraph sub{subtopology.index}["sub-topology {subtopology.index}"]')
        for step in steps(subtopology):
            here = ids.of("step", f"{subtopology.index}/{step.name}")
            inner.append(f'        {here}["{_escaped(step.name)}"]')
            for store in step.stores:
                if ids.is_new("store", store):
                    label = f"{store}<br/>{kinds[store]}" if store in kinds else store
                    inner.append(f'        {ids.of("store", store)}[("{_escaped(label)}")]')
                edges.append(f"    {here} -.- {ids.of('store', store)}")
            for successor in step.successors:
                edges.append(f"    {here} --> {ids.of('step', f'{subtopology.index}/{successor}')}")
            for topic in step.topics:
                if ids.is_new("topic", topic):
                    topics.append(f'    {ids.of("topic", topic)}(["{_escaped(topic)}"])')
                ends = (ids.of("topic", topic), here)
                edges.append("    {} ==> {}".format(*(ends if step.role == "source" else reversed(ends))))
        inner.append("    end")
    return "\n".join(["flowchart LR", *topics, *inner, *edges]) + "\n"


class _Ids:
    """Short identifiers for things with any name."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], str] = {}
        self._numbers: Iterator[int] = iter(range(1_000_000))

    def is_new(self, kind: str, name: str) -> bool:
        return (kind, name) not in self._known

    def of(self, kind: str, name: str) -> str:
        if (kind, name) not in self._known:
            self._known[kind, name] = f"{kind}{next(self._numbers)}"
        return self._known[kind, name]


def _escaped(text: str) -> str:
    return text.replace('"', "#quot;")
