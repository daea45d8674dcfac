"""The name of a task: which part of the topology, and which partition of it."""

from __future__ import annotations

from msgspec import Struct


class TaskId(Struct, frozen=True, order=True):
    """Sub-topology and partition, ordered in that order. Its text is Kafka Streams': `0_3`."""

    subtopology: int
    partition: int

    def __str__(self) -> str:
        return f"{self.subtopology}_{self.partition}"

    @classmethod
    def parse(cls, text: str) -> TaskId:
        """The task that prints as `text`. Raises ValueError for anything that is not two decimal numbers and `_`."""
        subtopology, separator, partition = text.partition("_")
        if not (separator and is_number(subtopology) and is_number(partition)):
            raise ValueError(f"{text!r} is not a task id: write sub-topology and partition, as in '0_3'")
        return cls(int(subtopology), int(partition))


def is_number(text: str) -> bool:
    return text.isascii() and text.isdigit()
