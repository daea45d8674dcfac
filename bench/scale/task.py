"""One task in process, with its state in RocksDB and without a log: CPU time of the whole process, compactions in the
background included, which other programs on the machine do not spoil.
"""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from confluent_kafka import Message

from bench.operators import Unbounded, commit
from stores import RocksDbResources, RocksDbTaskState
from streams import App
from streams.compile.program import NO_LIMIT, TaskBinding
from streams.observe import Counters
from streams.plan.task_id import TaskId

FIRST_TIMESTAMP = 1_700_000_000_000
BATCH = 10_000
"""Records of a commit."""


class MeasuredTask:
    """A task of an application with one sub-topology, which reads topic `in`."""

    def __init__(self, app: App, directory: Path) -> None:
        sub = app.plan().subtopologies[0]
        self.resources = RocksDbResources()
        self.directory = directory
        self.specs = [store.spec for store in sub.stores]
        self.state = RocksDbTaskState.open(directory, self.specs, self.resources)
        self._program = sub.program.bind(
            TaskBinding(
                application_id="scale",
                task_id=TaskId(0, 0),
                stores=self.state.stores,
                produce="".format,
                produce_full="".format,
                watermarks={source.topic: Unbounded() for source in sub.sources if source.role == "repartition"},
                counters=Counters(),
                wall_clock=lambda: FIRST_TIMESTAMP,
            )
        )
        self._program.processors.start()

    def run(self, messages: Sequence[Message]) -> float:
        """Runs them, with a commit after each batch; CPU seconds."""
        began = time.process_time()
        for start in range(0, len(messages), BATCH):
            batch = messages[start : start + BATCH]
            self._program.sources["in"].run(batch, 0, len(batch), NO_LIMIT)
            commit(self._program, self.state)
        return time.process_time() - began

    def close(self) -> None:
        self.state.close()

    @property
    def disk_bytes(self) -> int:
        return sum(file.stat().st_blocks * 512 for file in self.directory.iterdir())


def messages(count: int, keys: int, seed: int = 1) -> list[Message]:
    """Records of random keys, a millisecond apart."""
    draw = random.Random(seed)
    return [record(b"key-%08d" % draw.randrange(keys), number) for number in range(count)]


def record(key: bytes, number: int, value: Any = b"1") -> Message:
    return Message(
        topic="in", partition=0, offset=number, key=key, value=value, timestamp=(1, FIRST_TIMESTAMP + number)
    )
