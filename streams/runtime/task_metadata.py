"""What a task remembers beside its stores: the clocks of its operators and the watermarks of its inputs.

It lies in the metadata rows of the task's state, written in the same batch as the stores, and as changelog records in
one more internal topic, `<application>-task-metadata-changelog`, in the partition of the task's number:

    row (and record key)      value
    clock/<store>             the clock of the operator that keeps the store, ms, decimal text
    clock/<store>/<input>     the same, where an operator has one clock for each of its inputs
    clock/<store>/closed      how far that operator has let out final results, ms, decimal text
    watermark/<topic>         `Watermark.floor` of that repartition topic, ms, decimal text

Names of stores and topics are stable, so a task that moves, or whose sub-topology has another number after a change of
the application, finds its own rows again. A local row `restored` says how far the topic is in here.
"""

from __future__ import annotations

from collections.abc import Mapping

from streams.plan.plan import CHANGELOG_CONFIGS, InternalTopic, PartitionPlan, Subtopology
from streams.runtime.task_marks import UNKNOWN
from streams.runtime.watermark import Watermark

CLOCK = "clock/"
WATERMARK = "watermark/"
RESTORED = "restored"


def metadata_topic(plan: PartitionPlan) -> InternalTopic | None:
    """The topic of this kind, None if no sub-topology has anything to remember."""
    partitions = [len(plan.tasks_of(sub.index)) for sub in plan.plan.subtopologies if remembers(sub)]
    if not partitions:
        return None
    return InternalTopic(
        name=metadata_topic_name(plan.plan.application_id),
        partitions=max(partitions),
        configs=CHANGELOG_CONFIGS,
    )


def metadata_topic_name(application_id: str) -> str:
    """Also of an application that has none."""
    return f"{application_id}-task-metadata-changelog"


def remembers(subtopology: Subtopology) -> bool:
    """Without logged stores there is no operator whose clock had to survive a move."""
    return any(store.changelog is not None for store in subtopology.stores)


def rows_of(subtopology: Subtopology) -> frozenset[str]:
    """The names of the rows that tasks of this sub-topology write."""
    return frozenset(
        [CLOCK + store.name for store in subtopology.stores]
        + [CLOCK + name for name in subtopology.program.clocks]
        + [WATERMARK + source.topic for source in subtopology.sources if source.role == "repartition"]
    )


def write_rows(clocks: Mapping[str, int], watermarks: Mapping[str, Watermark]) -> dict[str, bytes]:
    """The rows as they should be now."""
    rows = {CLOCK + store: b"%d" % clock for store, clock in clocks.items()}
    for topic, watermark in watermarks.items():
        if watermark.floor != UNKNOWN:
            rows[WATERMARK + topic] = b"%d" % watermark.floor
    return rows


def read_clocks(rows: Mapping[str, bytes]) -> dict[str, int]:
    return {name.removeprefix(CLOCK): int(value) for name, value in rows.items() if name.startswith(CLOCK)}


def read_watermarks(rows: Mapping[str, bytes], watermarks: Mapping[str, Watermark]) -> None:
    """Gives each watermark what is remembered of it."""
    for topic, watermark in watermarks.items():
        floor = rows.get(WATERMARK + topic)
        if floor is not None:
            watermark.restore(int(floor))
