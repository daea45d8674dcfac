"""Text in the form of Kafka Streams' `Topology.describe()`."""

from __future__ import annotations

from streams.plan.plan import Plan
from streams.render.sketch import Step, steps
from streams.render.store import store_text


def describe(plan: Plan) -> str:
    """The topology as text, one block per sub-topology, and its stores, which Kafka Streams does not list."""
    lines = ["Topologies:"]
    for subtopology in plan.subtopologies:
        lines.append(f"   Sub-topology: {subtopology.index}")
        for step in steps(subtopology):
            lines.extend(_step(step))
        lines.append("")
    for number, table in enumerate(plan.global_tables, len(plan.subtopologies)):
        lines += [
            f"   Sub-topology: {number} for global store (will not generate tasks)",
            f"    Source: {table.label}-source (topics: [{table.topic}])",
            f"      --> {table.label}",
            f"    Processor: {table.label} (stores: [{table.spec.name}])",
            "      --> none",
            f"      <-- {table.label}-source",
            "",
        ]
    stores = [*(store for _, store in plan.stores()), *plan.global_stores]
    if stores:
        lines += ["Stores:", *(f"   Store: {store.name} ({store_text(store)})" for store in stores), ""]
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
