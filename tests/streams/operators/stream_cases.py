"""Operators that work record by record, and processors."""

from __future__ import annotations

import asyncio
from typing import Any

from streams import (
    FixedKeyProcessor,
    FixedKeyRecord,
    Json,
    Processor,
    ProcessorContext,
    Record,
    Stores,
    join_window,
    tumbling,
)
from streams.operators.branch import Branch, Split
from streams.operators.deduplicate import Deduplicate
from streams.operators.filter import Filter
from streams.operators.flat_map import FlatMap, FlatMapValues
from streams.operators.map import Map
from streams.operators.map_async import MapAsync
from streams.operators.map_batch import MapBatch
from streams.operators.map_values import MapValues
from streams.operators.merge import Merge
from streams.operators.peek import Foreach, Peek
from streams.operators.process import Process, ProcessValues
from streams.operators.repartition import Repartition
from streams.operators.select_key import SelectKey
from streams.operators.sink import Sink
from streams.operators.source import Source
from streams.operators.stream_join import StreamJoin, StreamJoinSide
from streams.operators.stream_self_join import StreamSelfJoin
from tests.streams.operators.case import MS, Case, Out, Parts, small


class Summing(Processor[str, Any, str, Any]):
    """Forwards each key's sum so far, and in stream time every 10 ms a record of its own."""

    def init(self, context: ProcessorContext[str, Any]) -> None:
        super().init(context)
        self.sums = context.store("sums")
        context.schedule(10 * MS, "stream_time", self.tick)

    def process(self, record: Record[str, Any]) -> None:
        key = record.key or "none"
        total = (self.sums.get(key) or 0) + small(record.value)
        self.sums.put(key, total)
        self.context.forward(record.with_value(total))

    def tick(self, now: int) -> None:
        if now // 10 > (self.sums.get("ticked") or -1):  # schedules begin anew with each start, as in Kafka Streams
            self.sums.put("ticked", now // 10)
            self.context.forward(Record("tick", now, now))


class Doubling(FixedKeyProcessor[str, Any, Any]):
    def process(self, record: FixedKeyRecord[str, Any]) -> None:
        self.context.forward(record.with_value(2 * small(record.value)))


def pair(left: Any, right: Any) -> list[Any]:
    return [left, right]


def self_join(parts: Parts) -> Out:
    return parts.stream.join(parts.stream, pair, windows=join_window(5 * MS, grace=20 * MS), value=Json())


def process(parts: Parts) -> Out:
    store = Stores.key_value("sums", key=str, value=int)
    return parts.stream.process(Summing, stores=[store], key=str, value=Json())


async def answer_small(value: Any) -> int:
    await asyncio.sleep(small(value) / 1000)
    return small(value)


def windows_behind(stream: Any) -> Out:
    """Windows that close, behind records in flight."""
    closed = stream.group_by_key().windowed_by(tumbling(10 * MS, grace=5 * MS), emit="close").count()
    return closed.to_stream().map(lambda k, v: (k.key, v), key=str, value=Json())


def processor_behind(stream: Any) -> Out:
    """Punctuators, behind records in flight."""
    return stream.process(Summing, stores=[Stores.key_value("sums", key=str, value=int)], key=str, value=Json())


def batches(stream: Any) -> Any:
    return stream.map_batch(lambda values: [small(value) for value in values], max_size=3, value=Json())


def calls(stream: Any) -> Any:
    return stream.map_async(answer_small, concurrency=3, value=Json())


def foreach(parts: Parts) -> Out:
    parts.stream.foreach(lambda k, v: None)
    return None


def sink(parts: Parts) -> Out:
    parts.stream.to(lambda k, v: "out", name="chosen")
    return None


def split(parts: Parts) -> Out:
    ways = parts.stream.split().branch(lambda k, v: v is None, name="none")
    branches = ways.branch(lambda k, v: v > 4, name="high").default_branch(name="low")
    return branches["high"].merge(branches["low"])


CASES: tuple[Case, ...] = (
    Case(name="source", operators=(Source, Repartition), attach=lambda p: p.stream),
    Case(name="filter", operators=(Filter,), attach=lambda p: p.stream.filter(lambda k, v: small(v) > 3)),
    Case(name="filter nothing through", operators=(), attach=lambda p: p.stream.filter(lambda k, v: False)),
    Case(name="map", operators=(Map,), attach=lambda p: p.stream.map(lambda k, v: (f"{k}!", small(v)), key=str)),
    Case(name="map_values", operators=(MapValues,), attach=lambda p: p.stream.map_values(small)),
    Case(name="map_async", operators=(MapAsync,), attach=lambda p: calls(p.stream)),
    Case(name="map_batch", operators=(MapBatch,), attach=lambda p: batches(p.stream)),
    Case(
        name="map_async before windows",
        operators=(),
        attach=lambda p: windows_behind(calls(p.stream)),
        hold_back_ms=15,
    ),
    Case(
        name="map_batch before windows",
        operators=(),
        attach=lambda p: windows_behind(batches(p.stream)),
        hold_back_ms=15,
    ),
    Case(name="map_async before a processor", operators=(), attach=lambda p: processor_behind(calls(p.stream))),
    Case(name="map_batch before a processor", operators=(), attach=lambda p: processor_behind(batches(p.stream))),
    Case(
        name="flat_map",
        operators=(FlatMap,),
        attach=lambda p: p.stream.flat_map(lambda k, v: [(k, i) for i in range(small(v))], key=str, value=Json()),
    ),
    Case(
        name="flat_map_values",
        operators=(FlatMapValues,),
        attach=lambda p: p.stream.flat_map_values(lambda v: range(small(v)), value=Json()),
    ),
    Case(
        name="select_key", operators=(SelectKey,), attach=lambda p: p.stream.select_key(lambda k, v: f"{k}!", key=str)
    ),
    Case(name="peek", operators=(Peek,), attach=lambda p: p.stream.peek(lambda k, v: None)),
    Case(name="foreach", operators=(Foreach,), attach=foreach),
    Case(name="to", operators=(Sink,), attach=sink),
    Case(name="split", operators=(Split, Branch), attach=split),
    Case(name="merge", operators=(Merge,), attach=lambda p: p.stream.merge(p.other())),
    Case(name="deduplicate", operators=(Deduplicate,), attach=lambda p: p.stream.deduplicate(within=6 * MS)),
    Case(name="process", operators=(Process,), attach=process),
    Case(
        name="process_values", operators=(ProcessValues,), attach=lambda p: p.stream.process_values(Doubling, value=int)
    ),
    Case(
        name="join of streams",
        operators=(StreamJoin, StreamJoinSide),
        attach=lambda p: p.stream.join(
            p.other(), pair, windows=join_window(5 * MS, 10 * MS, grace=20 * MS), value=Json()
        ),
    ),
    Case(
        name="outer join of streams, those that met none",
        operators=(StreamJoin, StreamJoinSide),
        attach=lambda p: p.stream.outer_join(
            p.other(), pair, windows=join_window(5 * MS, 10 * MS, grace=5 * MS), value=Json()
        ).filter(lambda k, v: None in v),
        hold_back_ms=16,
    ),
    Case(name="join of a stream with itself", operators=(StreamSelfJoin,), attach=self_join),
)
