"""Which partitions a record is sent to where its topic has a partitioner of the user's.

Source: `StreamPartitioner.partitions` (KIP-837 for several partitions and none).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

Partitioner: TypeAlias = Callable[[str, Any, Any, int], "int | Iterable[int] | None"]
"""(topic, key, value, number of partitions) -> a partition, several, or None for Kafka's default. Several may be none:
then the record goes nowhere."""

BY_KEY = (-1,)


class Places:
    """Asks a partitioner, and checks what it says. One per task."""

    __slots__ = ("_partitioner", "_partitions")

    def __init__(self, partitioner: Partitioner, partitions: Callable[[str], int]) -> None:
        self._partitioner = partitioner
        self._partitions = partitions

    def __call__(self, topic: str, key: Any, value: Any) -> Iterable[int]:
        """The partitions; -1 for the default. Raises ValueError, TypeError for what is no partition of the topic."""
        count = self._partitions(topic)
        told = self._partitioner(topic, key, value, count)
        if told is None:
            return BY_KEY
        places = (told,) if isinstance(told, int) else tuple(told)
        for place in places:
            if type(place) is not int:
                raise TypeError(f"a partitioner gives an int, several or None, not {told!r}")
            if not 0 <= place < count:
                raise ValueError(f"the partitioner gave partition {place}, and {topic!r} has {count}: 0 to {count - 1}")
        return places
