"""The dead letters on a topic: read, and sent again."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from itertools import groupby
from typing import TYPE_CHECKING

from streams.cluster.letter import Letter, LetterFilter
from streams.cluster.partitions import offset_ranges, partition_ids
from streams.cluster.records import records_of_topic

if TYPE_CHECKING:
    from confluent_kafka import Consumer

READ_COMMITTED: Mapping[str, str] = {"isolation.level": "read_committed"}
"""What a consumer of letters has to be made with: letters of aborted transactions were never sent."""


def read_letters(
    client: Consumer,
    topic: str,
    wanted: LetterFilter,
    *,
    limit: int | None = None,
    newest: int | None = None,
) -> list[Letter]:
    """Those that are there now and committed, in the order of their places: at most `limit`, of each partition from its
    last `newest` offsets. Raises UnknownTopicError."""
    ranges = offset_ranges(client, topic, partition_ids(client, topic))
    if newest is not None:
        ranges = {partition: (max(low, high - newest), high) for partition, (low, high) in ranges.items()}
    if wanted.places:
        ranges = _around(ranges, wanted.places)
    starts = {partition: low for partition, (low, _) in ranges.items()}
    ends = {partition: high for partition, (_, high) in ranges.items()}
    found: list[Letter] = []
    for record in records_of_topic(client, topic, starts, ends):
        letter = Letter.of(record)
        if wanted(letter):
            found.append(letter)
            if len(found) == limit:
                break
    return sorted(found, key=lambda letter: (letter.partition, letter.offset))


def _around(ranges: Mapping[int, tuple[int, int]], places: Iterable[tuple[int, int]]) -> dict[int, tuple[int, int]]:
    """Of each partition no more than from its first place to its last."""
    offsets: dict[int, list[int]] = {}
    for partition, offset in places:
        offsets.setdefault(partition, []).append(offset)
    return {
        partition: (max(low, min(offsets[partition])), min(high, max(offsets[partition]) + 1))
        for partition, (low, high) in ranges.items()
        if partition in offsets
    }


def by_goal(letters: Iterable[Letter], target: str | None) -> list[tuple[str, list[Letter]]]:
    """The letters by the topic they go to (`target`, else where they came from), those of a partition in the order in
    which they were read there."""

    def goal(letter: Letter) -> str:
        return target or letter.source or ""

    ordered = sorted(letters, key=lambda letter: (goal(letter), letter.source_partition, letter.source_offset))
    return [(name, list(group)) for name, group in groupby(ordered, goal)]


def lost_letters(letters: Iterable[Letter]) -> list[Letter]:
    """Those that do not say where they came from: they cannot go back there."""
    return [letter for letter in letters if letter.source is None]


def lost_text(topic: str, lost: list[Letter]) -> str:
    """What is wrong with them."""
    return (
        f"{len(lost)} records on {topic} do not say where they came from, the first at "
        f"{lost[0].partition}:{lost[0].offset}: they are no dead letters"
    )


def foreign_letters(letters: Iterable[Letter], sources: Collection[str]) -> list[Letter]:
    """Those that say they came from another topic than `sources`. Whoever can write to a topic of letters can write
    any topic into them, changelogs too, and whoever sends letters again may write to more topics than he."""
    return [letter for letter in letters if letter.source not in sources]


def foreign_text(topic: str, foreign: list[Letter], why: str) -> str:
    """What is wrong with them; `why` says of a topic that it is none of the sources."""
    return (
        f"{len(foreign)} records on {topic} say that they came from topics that {why}, the first at "
        f"{foreign[0].partition}:{foreign[0].offset} from {foreign[0].source!r}"
    )
