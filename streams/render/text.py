"""Text in the form of Kafka Streams' `Topology.describe()`."""

from __future__ import annotations

from streams.plan.plan import Plan
from streams.render.sketch import Step, steps


def describe(plan: Plan) -> str:
    """The topology as text, one block per sub-topology; stores that a source topic restores are named at its end."""
    lines = ["Topologies:"]
    for subtopology in plan.subtopologies:
        lines.append(f"   Sub-topology: {subtopology.index}")
        for step in steps(subtopology):
            lines.extend(_step(step))
        lines.extend(
            f"    Store: {store.name} (changelog: source topic {store.changelog})"
            for store in subtopology.stores
            if store.from_source
        )
        lines.append("")
    return "\n".join(lines)


def _step(step: Step) -> list[str]:
    topics = ", ".join(step.topics)
    if step.role == "source":
        return [f"    Source: {step.name} (topics: [{topics}])", f"      --> {_names(step.successors)}"]
    if step.role == "sink":
        return [f"    Sink: {step.name} (topic: {topics})", f"      <-- {_names(step.predecessors)}"]
    return [
        f"    Processor: {step.name} (stores: [{', '.join(step.stores)}])",
        f"      --> {_names(step.successors)}",
        f"      <-- {_names(step.predecessors)}",
    ]


def _names(names: tuple[str, ...]) -> str:
    return ", ".join(names) if names else "none"
