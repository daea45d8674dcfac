"""A topology for every place where a user's function can stand: there, the function raises."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import msgspec

from streams import (
    App,
    FixedKeyProcessor,
    FixedKeyRecord,
    Json,
    KStream,
    KTable,
    Materialized,
    Processor,
    ProcessorContext,
    Record,
    count,
    hopping,
    join_window,
    session,
    sliding,
    sum_,
    tumbling,
)
from streams.operators.aggregation import Column, FoldAggregation, ReduceAggregation
from streams.operators.branch import Branch
from streams.operators.deduplicate import Deduplicate
from streams.operators.filter import Filter
from streams.operators.flat_map import FlatMap, FlatMapValues
from streams.operators.global_table_join import GlobalTableJoin
from streams.operators.map import Map
from streams.operators.map_async import MapAsync
from streams.operators.map_batch import MapBatch
from streams.operators.map_values import MapValues
from streams.operators.peek import Foreach, Peek
from streams.operators.process import Process, ProcessValues
from streams.operators.response_join import ResponseJoin
from streams.operators.select_key import SelectKey
from streams.operators.sink import Sink
from streams.operators.source import Source
from streams.operators.stream_join import StreamJoinSide
from streams.operators.stream_self_join import StreamSelfJoin
from streams.operators.stream_table_join import StreamTableJoin
from streams.operators.subscription import Subscription
from streams.operators.table_aggregation import TableFold
from streams.operators.table_filter import TableFilter
from streams.operators.table_group import TableGroup
from streams.operators.table_join import TableJoin, TableJoinSide
from streams.operators.table_map_values import TableMapValues
from streams.operators.waiting_stream_table_join import WaitingStreamTableJoin

MS = timedelta(milliseconds=1)
Place = tuple[type, str]
"""An operator or aggregation, and the field that holds the function."""


def explode(*arguments: Any) -> Any:
    raise LookupError("boom")


async def answer(value: Any) -> Any:
    return value


async def fail_later(*arguments: Any) -> Any:
    await asyncio.sleep(0.001)
    raise LookupError("boom")


def later() -> Callable[..., Any]:
    """A function that raises when it is called for the second time: when the rows of a table are looked up."""
    calls: list[Any] = []

    def fails_later(one: Any, other: Any = None) -> Any:
        calls.append(one)
        if len(calls) > 1:
            raise LookupError("boom")
        return 1

    return fails_later


class Exploding(Processor[str, Any, str, Any]):
    def process(self, record: Record[str, Any]) -> None:
        raise LookupError("boom")


class ExplodingValues(FixedKeyProcessor[str, Any, Any]):
    def process(self, record: FixedKeyRecord[str, Any]) -> None:
        raise LookupError("boom")


class Ticking(Processor[str, Any, str, Any]):
    def init(self, context: ProcessorContext[str, Any]) -> None:
        super().init(context)
        context.schedule(MS, "stream_time", self.tick)

    def process(self, record: Record[str, Any]) -> None:
        pass

    def tick(self, now: int) -> None:
        raise LookupError("boom")


@dataclass(frozen=True)
class Reader:
    """Reads topics under names of the test's own."""

    app: App
    named: Callable[[str], str]

    def stream(self) -> KStream[str, Any]:
        return self.app.stream(self.named("in"), key=str, value=Json())

    def table(self, topic: str = "in") -> KTable[str, Any]:
        return self.app.table(self.named(topic), key=str, value=Json())

    def other(self) -> KTable[str, Any]:
        return self.table("table")

    def everywhere(self) -> Any:
        return self.app.global_table(self.named("everywhere"), key=str, value=Json())


@dataclass(frozen=True, kw_only=True)
class Failing:
    """
    Args:
        function: what the error must call it.
        behind: the record that fails was read from a repartition topic.
    """

    place: Place
    build: Callable[[Reader], Any]
    function: str = "explode"
    behind: bool = False


def keep(*arguments: Any) -> Any:
    return arguments[-1]


TUMBLING, HOPPING = tumbling(10 * MS, grace=0 * MS), hopping(10 * MS, 5 * MS, grace=0 * MS)
SLIDING, SESSION = sliding(10 * MS, grace=0 * MS), session(10 * MS, grace=0 * MS)


def grouped(r: Reader) -> Any:
    return r.stream().group_by_key()


def regrouped(r: Reader) -> Any:
    return r.table().group_by(lambda k, v: ("all", v), key=str, value=Json())


def joined_with_itself(r: Reader) -> Any:
    stream = r.stream()
    return stream.join(stream, explode, windows=join_window(10 * MS, grace=0 * MS), value=Json())


FAILING: dict[str, Failing] = {
    "timestamp": Failing(place=(Source, "timestamp"), build=lambda r: r.app.stream(r.named("in"), timestamp=explode)),
    "filter": Failing(place=(Filter, "predicate"), build=lambda r: r.stream().filter(explode)),
    "filter_not": Failing(place=(Filter, "predicate"), build=lambda r: r.stream().filter_not(explode)),
    "map": Failing(place=(Map, "mapper"), build=lambda r: r.stream().map(explode)),
    "map_values": Failing(place=(MapValues, "mapper"), build=lambda r: r.stream().map_values(explode)),
    "map_async": Failing(
        place=(MapAsync, "mapper"),
        build=lambda r: r.stream().map_async(fail_later, value=Json()),
        function="fail_later",
    ),
    "map_async of a function that is none": Failing(
        place=(MapAsync, "mapper"), build=lambda r: r.stream().map_async(explode, value=Json())
    ),
    "behind map_async": Failing(
        place=(MapValues, "mapper"), build=lambda r: r.stream().map_async(answer, value=Json()).map_values(explode)
    ),
    "map_batch": Failing(place=(MapBatch, "mapper"), build=lambda r: r.stream().map_batch(explode, value=Json())),
    "behind map_batch": Failing(
        place=(MapValues, "mapper"), build=lambda r: r.stream().map_batch(list, value=Json()).map_values(explode)
    ),
    "flat_map": Failing(place=(FlatMap, "mapper"), build=lambda r: r.stream().flat_map(explode)),
    "flat_map_values": Failing(place=(FlatMapValues, "mapper"), build=lambda r: r.stream().flat_map_values(explode)),
    "select_key": Failing(place=(SelectKey, "selector"), build=lambda r: r.stream().select_key(explode)),
    "group_by": Failing(place=(SelectKey, "selector"), build=lambda r: r.stream().group_by(explode).count()),
    "to_stream": Failing(place=(SelectKey, "selector"), build=lambda r: r.table().to_stream(explode)),
    "peek": Failing(place=(Peek, "action"), build=lambda r: r.stream().peek(explode)),
    "foreach": Failing(place=(Foreach, "action"), build=lambda r: r.stream().foreach(explode)),
    "branch": Failing(place=(Branch, "predicate"), build=lambda r: r.stream().split().branch(explode)),
    "to": Failing(place=(Sink, "topic"), build=lambda r: r.stream().to(explode)),
    "deduplicate": Failing(
        place=(Deduplicate, "identity"), build=lambda r: r.stream().deduplicate(within=MS, by=explode)
    ),
    "process": Failing(
        place=(Process, "process"), build=lambda r: r.stream().process(Exploding), function="Exploding.process"
    ),
    "process_values": Failing(
        place=(ProcessValues, "process"),
        build=lambda r: r.stream().process_values(ExplodingValues),
        function="ExplodingValues.process",
    ),
    "stream-time punctuator": Failing(
        place=(Process, "tick"), build=lambda r: r.stream().process(Ticking), function="Ticking.tick"
    ),
    # aggregates
    "initializer": Failing(
        place=(FoldAggregation, "initializer"), build=lambda r: grouped(r).aggregate(explode, keep, value=Json())
    ),
    "aggregator": Failing(
        place=(FoldAggregation, "aggregator"), build=lambda r: grouped(r).aggregate(int, explode, value=Json())
    ),
    "reducer": Failing(place=(ReduceAggregation, "reducer"), build=lambda r: grouped(r).reduce(explode)),
    "named aggregate": Failing(place=(Column, "of"), build=lambda r: grouped(r).aggregate(total=sum_(explode))),
    "tumbling aggregator": Failing(
        place=(FoldAggregation, "aggregator"),
        build=lambda r: grouped(r).windowed_by(TUMBLING).aggregate(int, explode, value=Json()),
    ),
    "hopping initializer": Failing(
        place=(FoldAggregation, "initializer"),
        build=lambda r: grouped(r).windowed_by(HOPPING).aggregate(explode, keep, value=Json()),
    ),
    "hopping reducer": Failing(
        place=(ReduceAggregation, "reducer"), build=lambda r: grouped(r).windowed_by(HOPPING).reduce(explode)
    ),
    "sliding aggregator": Failing(
        place=(FoldAggregation, "aggregator"),
        build=lambda r: grouped(r).windowed_by(SLIDING).aggregate(int, explode, value=Json()),
    ),
    "sliding reducer": Failing(
        place=(ReduceAggregation, "reducer"), build=lambda r: grouped(r).windowed_by(SLIDING).reduce(explode)
    ),
    "session aggregator": Failing(
        place=(FoldAggregation, "aggregator"),
        build=lambda r: grouped(r).windowed_by(SESSION).aggregate(int, explode, keep, value=Json()),
    ),
    "session merger": Failing(
        place=(FoldAggregation, "merger"),
        build=lambda r: grouped(r).windowed_by(SESSION).aggregate(int, keep, explode, value=Json()),
    ),
    "session reducer": Failing(
        place=(ReduceAggregation, "reducer"), build=lambda r: grouped(r).windowed_by(SESSION).reduce(explode)
    ),
    "named windowed aggregate": Failing(
        place=(Column, "of"), build=lambda r: grouped(r).windowed_by(SESSION).aggregate(n=count(), t=sum_(explode))
    ),
    "cogroup": Failing(
        place=(FoldAggregation, "aggregator"),
        build=lambda r: grouped(r).cogroup(explode).aggregate(int, value=Json()),
    ),
    "behind a closed window": Failing(
        place=(MapValues, "mapper"),
        build=lambda r: grouped(r).windowed_by(TUMBLING, emit="close").count().to_stream().map_values(explode),
    ),
    "behind a late record": Failing(
        place=(MapValues, "mapper"),
        build=lambda r: grouped(r).windowed_by(TUMBLING, late=lambda late: late.map_values(explode)).count(),
    ),
    "behind a repartition": Failing(
        place=(FoldAggregation, "aggregator"),
        build=lambda r: r.stream().group_by(lambda k, v: k + "!", key=str).aggregate(int, explode, value=Json()),
        behind=True,
    ),
    # tables
    "table filter": Failing(place=(TableFilter, "predicate"), build=lambda r: r.table().filter(explode)),
    "table filter that is looked into": Failing(
        place=(TableFilter, "predicate"),
        build=lambda r: r.stream().join(r.other().filter(later()), keep, value=Json()),
        function="later.<locals>.fails_later",
    ),
    "table map_values that is looked into": Failing(
        place=(TableMapValues, "mapper"),
        build=lambda r: r.stream().join(r.other().map_values(later()), keep, value=Json()),
        function="later.<locals>.fails_later",
    ),
    "joiner of tables that are looked into": Failing(
        place=(TableJoin, "joiner"),
        build=lambda r: r.stream().join(r.other().left_join(r.table("rows"), later()), keep, value=Json()),
        function="later.<locals>.fails_later",
    ),
    "table map_values": Failing(place=(TableMapValues, "mapper"), build=lambda r: r.table().map_values(explode)),
    "table group_by": Failing(place=(TableGroup, "selector"), build=lambda r: r.table().group_by(explode).count()),
    "table initializer": Failing(
        place=(TableFold, "initializer"),
        build=lambda r: regrouped(r).aggregate(explode, keep, keep, value=Json()),
        behind=True,
    ),
    "adder": Failing(
        place=(TableFold, "adder"),
        build=lambda r: regrouped(r).aggregate(int, explode, keep, value=Json()),
        behind=True,
    ),
    "subtractor": Failing(
        place=(TableFold, "subtractor"),
        build=lambda r: regrouped(r).aggregate(int, keep, explode, value=Json()),
        behind=True,
    ),
    "table reduce": Failing(
        place=(TableFold, "adder"), build=lambda r: regrouped(r).reduce(explode, keep), behind=True
    ),
    "named aggregate of a table": Failing(
        place=(Column, "of"), build=lambda r: regrouped(r).aggregate(total=sum_(explode)), behind=True
    ),
    # joins
    "joiner": Failing(
        place=(StreamTableJoin, "joiner"), build=lambda r: r.stream().join(r.other(), explode, value=Json())
    ),
    "left joiner": Failing(
        place=(StreamTableJoin, "joiner"), build=lambda r: r.stream().left_join(r.other(), explode, value=Json())
    ),
    "joiner of tables": Failing(
        place=(TableJoinSide, "joiner"), build=lambda r: r.table().left_join(r.other(), explode, value=Json())
    ),
    "joiner behind a grace": Failing(
        place=(WaitingStreamTableJoin, "joiner"),
        build=lambda r: r.stream().left_join(
            r.app.table(r.named("table"), key=str, value=Json(), store=Materialized(history_retention=MS)),
            explode,
            grace=0 * MS,
            value=Json(),
        ),
    ),
    "joiner of streams": Failing(
        place=(StreamJoinSide, "joiner"),
        build=lambda r: r.stream().join(
            r.app.stream(r.named("table"), key=str, value=Json()),
            explode,
            windows=join_window(10 * MS, grace=0 * MS),
            value=Json(),
        ),
    ),
    "joiner of a stream with itself": Failing(place=(StreamSelfJoin, "joiner"), build=joined_with_itself),
    "foreign key": Failing(
        place=(Subscription, "extractor"),
        build=lambda r: r.table().join(r.other(), keep, foreign_key=explode, value=Json()),
    ),
    "joiner by a foreign key": Failing(
        place=(ResponseJoin, "joiner"),
        build=lambda r: r.other().left_join(r.table(), explode, foreign_key=lambda v: "k", value=Json()),
        behind=True,
    ),
    "global joiner": Failing(
        place=(GlobalTableJoin, "joiner"),
        build=lambda r: r.stream().left_join(r.everywhere(), explode, value=Json()),
    ),
    "key of a global join": Failing(
        place=(GlobalTableJoin, "selector"),
        build=lambda r: r.stream().join(r.everywhere(), keep, on=explode, value=Json()),
    ),
}


def places(module: Any) -> set[Place]:
    """Where operators and aggregations of a module hold a user's function."""
    return {
        (kind, name)
        for kind in vars(module).values()
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct) and kind.__module__ == module.__name__
        for name in kind.__struct_fields__
        if "UserFunction" in annotation(kind, name)
    }


def annotation(kind: type, name: str) -> str:
    """As it is written; `typing.get_type_hints` would want all that is imported for types only."""
    return next(
        str(each.__annotations__[name]) for each in kind.__mro__ if name in vars(each).get("__annotations__", {})
    )
