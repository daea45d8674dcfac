"""The topology as a Graphviz digraph: topics as parallelograms, stores as cylinders, a box around each sub-topology."""

from __future__ import annotations

from streams.plan.plan import Plan
from streams.render.sketch import steps


def dot(plan: Plan) -> str:
    """Text for `dot -Tsvg`."""
    inner: list[str] = []
    topics: dict[str, None] = {}
    edges: list[str] = []
    kinds = {store.name: store.spec.kind for _, store in plan.stores()}
    for subtopology in plan.subtopologies:
        inner.append(f"  subgraph cluster_{subtopology.index} {{")
        inner.append(f'    label="sub-topology {subtopology.index}";')
        stores: dict[str, None] = {}
        for step in steps(subtopology):
            here = _quoted(f"{subtopology.index}/{step.name}")
            inner.append(f"    {here} [label={_quoted(step.name)}];")
            for store in step.stores:
                stores[store] = None
                edges.append(f"  {here} -> {_quoted('store/' + store)} [style=dashed, dir=none];")
            for successor in step.successors:
                edges.append(f"  {here} -> {_quoted(f'{subtopology.index}/{successor}')};")
            for topic in step.topics:
                topics[topic] = None
                ends = (_quoted("topic/" + topic), here)
                edges.append("  {} -> {} [style=bold];".format(*(ends if step.role == "source" else reversed(ends))))
        for store in stores:
            label = _quoted(f"{store}\n{kinds[store]}" if store in kinds else store)
            inner.append(f"    {_quoted('store/' + store)} [label={label}, shape=cylinder];")
        inner.append("  }")
    boxes = [f"  {_quoted('topic/' + topic)} [label={_quoted(topic)}, shape=parallelogram];" for topic in topics]
    head = [f"digraph {_quoted(plan.application_id)} {{", "  rankdir=LR;", "  node [shape=box];"]
    return "\n".join([*head, *boxes, *inner, *edges, "}"]) + "\n"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
