"""What a process says of the tasks that write a repartition topic, in as few words as will do.

All that counts for a reader is the least watermark, so the tasks of a process that move share one, the least of theirs.
What is said does not grow with the number of tasks but by a bit for each: tasks of a sub-topology are a set of
partitions, as a bitmap. As MessagePack: `[[subtopology, tasks, watermark in ms, idle], …]`, `tasks` little-endian.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

UNKNOWN = -1


class TaskMarks(msgspec.Struct, frozen=True, array_like=True):
    """What some tasks of a sub-topology say of themselves. `watermark` is in ms; -1: they have read nothing."""

    subtopology: int
    tasks: bytes
    watermark: int
    idle: bool

    @classmethod
    def of(cls, subtopology: int, partitions: Iterable[int], watermark: int, *, idle: bool = False) -> TaskMarks:
        return cls(subtopology, to_bytes(bitmap(partitions)), watermark, idle)

    @property
    def partitions(self) -> list[int]:
        """The numbers of the tasks, in order."""
        return numbers(int.from_bytes(self.tasks, "little"))


ENCODER = msgspec.msgpack.Encoder()
DECODER = msgspec.msgpack.Decoder(list[TaskMarks])


def encode_marks(marks: Iterable[TaskMarks]) -> bytes:
    """The payload of a control record."""
    return ENCODER.encode(list(marks))


def decode_marks(payload: bytes) -> list[TaskMarks]:
    """Raises msgspec.DecodeError if the payload is not that of a control record."""
    return DECODER.decode(payload)


def bitmap(partitions: Iterable[int]) -> int:
    bits = 0
    for partition in partitions:
        bits |= 1 << partition
    return bits


def to_bytes(bits: int) -> bytes:
    return bits.to_bytes((bits.bit_length() + 7) // 8, "little")


def numbers(bits: int) -> list[int]:
    return [number for number in range(bits.bit_length()) if bits >> number & 1]
