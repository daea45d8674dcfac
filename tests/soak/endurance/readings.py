"""What is read of the running job every few seconds: memory and descriptors of its processes, disk, lag."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import psutil
from confluent_kafka import Consumer, TopicPartition

from tests.soak.endurance.topology import APPLICATION, PARTITIONS

BETWEEN = f"{APPLICATION}-by-page-repartition"
TOPICS = ("visits", "users", BETWEEN)
TIMEOUT_S = 30.0


class Readings:
    """`take` reads everything once: `what of whom` → value; memory and disk in MiB, lag in records."""

    def __init__(self, servers: str, processes: Mapping[str, int], directories: Mapping[str, Path]) -> None:
        """`processes`: name → pid, of those that stay."""
        self._processes = {name: psutil.Process(pid) for name, pid in processes.items()}
        self._directories = directories
        self._group = Consumer({"bootstrap.servers": servers, "group.id": APPLICATION, "log_level": 0})

    def take(self) -> dict[str, float]:
        found: dict[str, float] = {}
        for name, process in self._processes.items():
            with process.oneshot():
                found[f"memory of {name}"] = process.memory_info().rss / 2**20
                found[f"descriptors of {name}"] = process.num_fds()
                found[f"threads of {name}"] = process.num_threads()
        for name, directory in self._directories.items():
            found[f"disk of {name}"] = sum(sizes(directory)) / 2**20
        found["lag"] = self.lag()
        return found

    def lag(self) -> int:
        """Records of the input and of the repartition topic that the application has not committed."""
        total = 0
        for place in self._committed(TOPICS):
            first, end = self._group.get_watermark_offsets(place, timeout=TIMEOUT_S)
            total += end - max(place.offset, first)
        return total

    def processed(self) -> int:
        """How far the group's offsets are on the repartition topic, which each visit comes to."""
        return sum(max(place.offset, 0) for place in self._committed([BETWEEN]))

    def _committed(self, topics: Iterable[str]) -> list[TopicPartition]:
        places = [TopicPartition(topic, partition) for topic in topics for partition in range(PARTITIONS)]
        return self._group.committed(places, timeout=TIMEOUT_S)

    def close(self) -> None:
        self._group.close()


def sizes(directory: Path) -> Iterable[int]:
    """Of all files; those that go meanwhile count nothing."""
    for path in directory.rglob("*"):
        try:
            if path.is_file():
                yield path.stat().st_size
        except FileNotFoundError:
            continue
