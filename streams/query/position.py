"""Positions: how far in its inputs a store is, and how far a question wants it to be.

A position names partitions of topics, and for each the offset of the last record it contains: `orders:0:17,orders:1:5`.
Whoever writes a record learns its partition and offset, and with these as a bound reads what came of the record. An
answer carries the position it was read at; given back as a bound, no later answer is older.
Source: `Position` and `PositionBound` of KIP-796.
"""

from __future__ import annotations

from collections.abc import Mapping

from streams.query.problem import Problem

Place = tuple[str, int]
"""A partition: topic and number."""

HEADER = "X-Position"


def parse_position(text: str) -> dict[Place, int]:
    """Raises Problem for text of another form."""
    position: dict[Place, int] = {}
    for part in text.split(","):
        topic, _, rest = part.strip().partition(":")
        partition, _, offset = rest.partition(":")
        if not (topic and partition.isdecimal() and offset.isdecimal()):
            raise Problem(
                f"{part.strip()!r} is no position: write topic:partition:offset, several with commas between them, "
                "such as orders:0:17"
            )
        place = topic, int(partition)
        position[place] = max(int(offset), position.get(place, 0))
    return position


def position_text(position: Mapping[Place, int]) -> str:
    return ",".join(f"{topic}:{partition}:{offset}" for (topic, partition), offset in position.items())
