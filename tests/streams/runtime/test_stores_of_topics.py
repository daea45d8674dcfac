"""Stores that a topic fills, in a running worker: read-only stores, and global stores with a processor."""

from __future__ import annotations

import shutil
from typing import Any

import pytest

from streams import App, FixedKeyProcessor, FixedKeyRecord, Json, Processor, Record, Stores
from streams.plan.task_id import TaskId
from streams.wire.client import Client
from streams.wire.group_offsets import committed_offsets
from tests.streams.runtime.bench import Bench, RunningWorker, until

TASK = TaskId(0, 0)


class Look(FixedKeyProcessor[str, Any, Any]):
    """Forwards what the store has for the record's key."""

    def process(self, record: FixedKeyRecord[str, Any]) -> None:
        found = self.context.store("s").get(record.key)
        self.context.forward(record.with_value(found))


def read_only(bench: Bench) -> App:
    app = App(bench.tag)
    app.add_read_only_store("s", bench.name("limits"), key=str, value=int)
    stream = app.stream(bench.name("in"), key=str, value=Json())
    stream.process_values(Look, stores=["s"], value=Json()).to(bench.name("out"))
    return app


def out(bench: Bench) -> list[bytes | None]:
    return [message.value() for message in bench.read("out")]


def committed(bench: Bench, guarantee: str) -> int:
    """The committed offset of the topic that fills the store."""
    place = (bench.name("limits"), 0)
    if guarantee == "at_least_once":
        known = bench.offsets.get(place)
        return -1 if known is None else known.offset
    client = Client.of({"bootstrap.servers": bench.bootstrap_servers})
    return committed_offsets(client, {bench.tag: [place]})[bench.tag].get(place, -1)


def number(value: int) -> bytes:
    return value.to_bytes(8, "big")


@pytest.mark.parametrize("lost", ["nothing", "state"])
@pytest.mark.parametrize("end", ["stop", "crash"])
@pytest.mark.parametrize("guarantee", ["at_least_once", "exactly_once"])
def test_read_only_store_comes_back_from_its_topic(bench: Bench, lost: str, end: str, guarantee: str) -> None:
    """Up to the committed offset by the restore, the rest by processing; no changelog topic is made."""
    bench.topics(**{"in": 1, "limits": 1, "out": 1})
    bench.produce("limits", *[(f"k{i}", number(i), i) for i in range(10)], ("k3", None, 11), (None, number(1), 12))

    def run() -> RunningWorker:
        if guarantee == "at_least_once":
            return bench.run(read_only(bench), TASK)
        return bench.run_in_group(read_only(bench))

    first = run()
    until(lambda: first.processed() == 12, "the rows")
    until(lambda: committed(bench, guarantee) == 12, "the commit of all")
    first.stop() if end == "stop" else first.crash()
    if lost == "state":
        shutil.rmtree(bench.directory / "state")
    bench.produce("limits", ("k4", number(44), 20))
    bench.produce("in", *[(key, b"{}", 30) for key in ("k2", "k3", "k4")])
    second = run()
    until(lambda: len(out(bench)) == 3, "the answers")
    assert second.heard.restored[TASK, "s"] == (0 if lost == "nothing" else 12)
    second.stop()
    assert out(bench) == [b"[2,2]", None, b"[44,20]"]
    assert not [topic for topic in bench.admin.list_topics(timeout=10).topics if f"{bench.tag}-s-changelog" in topic]


class Adds(Processor[str, int]):
    """A processor whose result shows if a record counted twice."""

    def process(self, record: Record[str, int]) -> None:
        store: Any = self.context.store("s")
        store.put(record.key, (store.get(record.key) or 0) + record.value)


def global_app(bench: Bench, persistent: bool) -> App:
    app = App(bench.tag)
    store = Stores.key_value("s", key=str, value=int, persistent=persistent)
    app.add_global_store(store, bench.name("rates"), key=str, value=int, processor=Adds)
    stream = app.stream(bench.name("in"), key=str, value=Json())
    stream.process_values(Look, value=Json()).to(bench.name("out"))
    return app


@pytest.mark.parametrize("persistent", [True, False])
@pytest.mark.parametrize("lost", ["nothing", "state"])
def test_processor_of_a_global_store_sees_each_record_once(bench: Bench, lost: str, persistent: bool) -> None:
    bench.topics(**{"in": 1, "rates": 3, "out": 1})
    bench.produce("rates", *[(f"k{i % 5}", number(1), i) for i in range(50)])
    bench.run(global_app(bench, persistent), TASK).crash()
    if lost == "state":
        shutil.rmtree(bench.directory / "state")
    bench.produce("rates", ("k1", number(100), 60))
    bench.produce("in", ("k1", b"{}", 70), ("k2", b"{}", 70))
    second = bench.run(global_app(bench, persistent), TASK)
    until(lambda: len(out(bench)) == 2, "the answers")
    second.stop()
    assert out(bench) == [b"110", b"10"]
