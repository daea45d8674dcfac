"""`python -m bench operators`: what each operator costs, in process, without a log.

The generated functions run over client messages that are all there already, in batches with a commit after each, with
state in RocksDB; what they produce goes nowhere, or to the next sub-topology of theirs. The floor is the least that any
program does with such records: decode, count in a dict, encode, hand over. It is run before each operator, on the same
messages. Calls are those of Python functions, which is what a hot loop has to count.
"""

from __future__ import annotations

import argparse
import gc
import random
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

import msgspec
from confluent_kafka import Message

from bench.events import FIRST_TIMESTAMP
from bench.operator_rows import ROWS, Event, User, declare
from stores import StoreSpec
from streams import App
from streams.compile.program import NO_LIMIT, TaskBinding
from streams.observe import Counters
from streams.plan.plan import Subtopology
from streams.plan.task_id import TaskId
from streams.runtime.event_loop import EventLoop
from streams.runtime.failure_policy import FailurePolicy
from streams.runtime.global_state import Surroundings
from streams.testing.global_tables import DriverGlobalTables
from streams.testing.message import DriverMessage
from streams.testing.state_disk import RocksDbStateDisk, StateDisk

BATCH = 10_000
USERS = 1_000
PROFILED = 5_000
"""Records of the run in which calls are counted; after as many that fill the stores."""
EVENT_TOPICS = ("events", "more-events")


def message(topic: str, offset: int, key: bytes | None, value: bytes | None, timestamp: int) -> Message:
    return Message(topic=topic, partition=0, offset=offset, key=key, value=value, timestamp=(1, timestamp))


class Records:
    """What the topics have: events of both topics are the same ones, taken in turn."""

    def __init__(self, events: int, seed: int = 7) -> None:
        draw, encode = random.Random(seed), msgspec.json.Encoder().encode
        self.events: dict[str, list[Message]] = {topic: [] for topic in EVENT_TOPICS}
        for i in range(events):
            user, ts = f"u{draw.randrange(USERS)}", FIRST_TIMESTAMP + i
            value = encode(Event(user, round(draw.random() * 100, 2), ts))
            for topic in EVENT_TOPICS:
                self.events[topic].append(message(topic, i, user.encode(), value, ts))
        self.users = [
            (f"u{i}".encode(), encode(User(f"name of {i}", "town")), FIRST_TIMESTAMP - 1) for i in range(USERS)
        ]


class Measured(NamedTuple):
    """Of one run: input records (events), seconds, Python functions called."""

    records: int
    seconds: float
    calls: int

    @property
    def rate(self) -> float:
        return self.records / self.seconds


class Calls:
    """Counts the Python functions called while it is entered."""

    def __init__(self, counted: bool) -> None:
        self.counted = counted
        self.number = 0

    def _event(self, frame: FrameType, event: str, argument: Any) -> None:
        if event == "call":
            self.number += 1

    def __enter__(self) -> Calls:
        if self.counted:
            sys.setprofile(self._event)
        return self

    def __exit__(self, *error: object) -> None:
        if self.counted:
            sys.setprofile(None)
            self.number -= 1  # this one


def floor(messages: Sequence[Message], *, counted: bool = False) -> Measured:
    """Decode, count, encode, hand over: what there is to do with a record at least."""
    decode, encode = msgspec.json.Decoder(Event).decode, msgspec.json.Encoder().encode
    counts: dict[bytes, int] = {}
    produce = "".format  # takes whatever it is given, in no time
    gc.collect()
    with Calls(counted) as calls:
        began = time.perf_counter()
        for m in messages:
            event = decode(m.value())
            key, ts = m.key(), event.ts
            counts[key] = number = counts.get(key, 0) + 1
            produce("out", encode({"n": number}), key, -1, None, None, ts, None)
        seconds = time.perf_counter() - began
    return Measured(len(messages), seconds, calls.number)


class Loop:
    """One task for each sub-topology of an application."""

    def __init__(
        self,
        app: App,
        directory: Path,
        records: Records,
        disk: Callable[[Sequence[StoreSpec], Path], StateDisk] = RocksDbStateDisk,
    ) -> None:
        self._disk = disk
        self._plan = app.plan()
        failures = FailurePolicy(deserialization="fail", processing="fail")
        self._globals = DriverGlobalTables(
            self._plan.global_tables, directory / "global", failures, Surroundings("bench", lambda: FIRST_TIMESTAMP)
        )
        self._records = records
        self._calls = EventLoop("bench-calls")
        self._calls.open()
        self._sent: list[tuple[Any, ...]] = []
        self._read = {source.topic for sub in self._plan.subtopologies for source in sub.sources}
        self._tasks = [self._task(sub, directory / str(sub.index)) for sub in self._plan.subtopologies]
        for key, value, ts in records.users:
            if self._plan.global_tables:
                self._globals.process(DriverMessage("everywhere", 0, key, value, ts, None))
            self._feed("users", [message("users", 0, key, value, ts)])

    def _task(self, sub: Subtopology, directory: Path) -> tuple[Subtopology, Any, Any]:
        state = self._disk([store.spec for store in sub.stores], directory).open()
        feeds = {sink.topic for sink in sub.repartition_sinks} & self._read
        program = sub.program.bind(
            TaskBinding(
                application_id="bench",
                task_id=TaskId(sub.index, 0),
                stores={**self._globals.stores, **state.stores},
                produce=self._keep if feeds else "".format,
                produce_full=self._keep,
                watermarks={source.topic: Unbounded() for source in sub.sources if source.role == "repartition"},
                counters=Counters(),
                wall_clock=lambda: FIRST_TIMESTAMP,
                calls=self._calls,
            )
        )
        program.processors.start()
        return sub, program, state

    def _keep(self, *produced: Any) -> None:
        """For the next sub-topology; the one Python call here that a worker does not make."""
        self._sent.append(produced)

    def _passed_on(self) -> dict[str, list[Message]]:
        """What came to repartition topics, as it will be read."""
        found: dict[str, list[Message]] = {}
        for topic, value, key, *_, ts, _ in self._sent:
            found.setdefault(topic, []).append(message(topic, 0, key, value, ts))
        self._sent.clear()
        return found

    def _feed(self, topic: str, messages: Sequence[Message]) -> None:
        for _, program, _ in self._tasks:
            if topic in program.sources:
                run_all(program, self._calls, topic, messages)

    def run(self, first: int, last: int, *, counted: bool = False) -> Measured:
        """Runs events `first` to `last`: half of them from each topic where both are read."""
        topics = [topic for topic in EVENT_TOPICS if topic in self._read]
        seconds, calls = 0.0, 0
        for start in range(first, last, BATCH):
            batches = {topic: self._records.events[topic][start : min(start + BATCH, last)] for topic in topics}
            batches = {topic: batch[i :: len(topics)] for i, (topic, batch) in enumerate(batches.items())}
            for sub, program, state in self._tasks:
                batches |= self._passed_on()
                for source in sub.sources:
                    batch = batches.get(source.topic, [])
                    took = self._timed(run_all, (program, self._calls, source.topic, batch), counted)
                    seconds, calls = seconds + took[0], calls + took[1]
                took = self._timed(commit, (program, state), counted)
                seconds, calls = seconds + took[0], calls + took[1]
        return Measured(last - first, seconds, calls)

    @staticmethod
    def _timed(function: Callable[..., Any], arguments: tuple[Any, ...], counted: bool) -> tuple[float, int]:
        with Calls(counted) as calls:
            began = time.perf_counter()
            function(*arguments)
            seconds = time.perf_counter() - began
        return seconds, calls.number

    def close(self) -> None:
        for _, program, state in self._tasks:
            program.processors.close()
            state.close()
        self._globals.close()
        self._calls.close()


class Unbounded:
    """The watermark of a topic with one upstream task."""

    value = NO_LIMIT

    def observe(self, message: Any, /) -> bool:
        return False


def run_all(program: Any, calls: EventLoop, topic: str, messages: Sequence[Message]) -> None:
    """A batch, and what was in flight of it in the end."""
    run, in_flight, end = program.sources[topic].run, program.in_flight, len(messages)
    done = run(messages, 0, end, NO_LIMIT)
    if in_flight is None:
        return
    while done < end or in_flight.count:
        in_flight.ending = done == end
        program.settle()
        if in_flight.calling and (done == end or in_flight.is_full()):
            calls.wait(1.0)
        elif done < end:
            done = run(messages, done, end, NO_LIMIT)
    in_flight.ending = False


def commit(program: Any, state: Any) -> None:
    """What a worker's commit does, but for the log: changelog records are made and the batch is written."""
    program.flush()
    for name in state.stores:
        for _ in state.pending(name):
            pass
    state.commit({})


def measure(row: str, records: Records, directory: Path) -> tuple[Measured, Measured]:
    """The operator's run, and one in which calls are counted."""
    count = len(records.events["events"])
    loop = Loop(declare(row), directory / "timed", records)
    gc.collect()
    timed = loop.run(0, count)
    loop.close()
    loop = Loop(declare(row), directory / "counted", records)
    few = min(PROFILED, count // 2)
    loop.run(0, few)
    counted = loop.run(few, 2 * few, counted=True)
    loop.close()
    return timed, counted


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench operators", description=__doc__)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--row", choices=list(ROWS), action="append", help="only these")
    options = parser.parse_args(arguments)
    records = Records(options.events)
    thresholds = gc.get_threshold()
    gc.set_threshold(100_000, 20, 50)  # as a worker has them
    floor(records.events["events"])
    calls = floor(records.events["events"][:PROFILED], counted=True).calls / PROFILED
    print(f"floor: {1e6 / floor(records.events['events']).rate:.2f} µs and {calls:.1f} calls a record")
    print(f"{'operator':20} {'rec/s':>10} {'µs/rec':>7} {'× of floor':>10} {'calls/rec':>9}")
    for row in options.row or ROWS:
        with tempfile.TemporaryDirectory() as directory:
            least = floor(records.events["events"])
            timed, counted = measure(row, records, Path(directory))
            again = floor(records.events["events"])
        base = 2 / (1 / least.rate + 1 / again.rate)
        print(
            f"{row:20} {timed.rate:>10,.0f} {1e6 / timed.rate:>7.2f} {timed.rate / base:>10.2f} "
            f"{counted.calls / counted.records:>9.2f}",
            flush=True,
        )
    gc.set_threshold(*thresholds)
