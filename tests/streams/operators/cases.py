"""One small topology, or more, for every operator: what the operators' contract is checked on.

A case attaches its operator to a stream of string keys and JSON values (small integers, or null) and hands back what
comes out. Windows and times are a few milliseconds long, so that a hundred records make everything happen.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from streams import (
    App,
    FixedKeyProcessor,
    FixedKeyRecord,
    Json,
    KStream,
    KTable,
    Processor,
    ProcessorContext,
    Record,
    Stores,
    calendar,
    collect,
    count,
    hopping,
    max_,
    session,
    sliding,
    sum_,
    tumbling,
    unlimited,
)
from streams.expressions import F
from streams.graph.node import Node
from streams.operators.aggregate import AggregateByKey
from streams.operators.branch import Branch, Split
from streams.operators.cogroup import Cogroup
from streams.operators.deduplicate import Deduplicate
from streams.operators.filter import Filter
from streams.operators.flat_map import FlatMap, FlatMapValues
from streams.operators.global_table import GlobalTable
from streams.operators.global_table_join import GlobalTableJoin
from streams.operators.late_records import LateRecords
from streams.operators.map import Map
from streams.operators.map_values import MapValues
from streams.operators.materialize import Materialize
from streams.operators.merge import Merge
from streams.operators.peek import Foreach, Peek
from streams.operators.process import Process, ProcessValues
from streams.operators.repartition import Repartition
from streams.operators.select_key import SelectKey
from streams.operators.session_aggregate import AggregateBySession
from streams.operators.sink import Sink
from streams.operators.sliding_aggregate import AggregateBySlidingWindow
from streams.operators.source import Source
from streams.operators.stream_table_join import StreamTableJoin
from streams.operators.table_aggregate import AggregateTable
from streams.operators.table_filter import TableFilter
from streams.operators.table_group import TableGroup
from streams.operators.table_join import TableJoin, TableJoinSide
from streams.operators.table_map_values import TableMapValues
from streams.operators.to_stream import ToStream
from streams.operators.windowed_aggregate import AggregateByWindow

MS = timedelta(milliseconds=1)
Out = KStream[Any, Any] | KTable[Any, Any] | None


@dataclass(frozen=True)
class Folds:
    """The user's functions of a case, which either change their aggregates in place or make new ones."""

    append: Callable[[str, Any, list[Any]], list[Any]]
    remove: Callable[[str, Any, list[Any]], list[Any]]
    join: Callable[[list[Any], list[Any]], list[Any]]


def append_in_place(key: str, value: Any, aggregate: list[Any]) -> list[Any]:
    aggregate.append(value)
    return aggregate


def remove_in_place(key: str, value: Any, aggregate: list[Any]) -> list[Any]:
    if value in aggregate:
        aggregate.remove(value)
    return aggregate


def join_in_place(aggregate: list[Any], other: list[Any]) -> list[Any]:
    aggregate.extend(other)
    return aggregate


def without(key: str, value: Any, aggregate: list[Any]) -> list[Any]:
    found = aggregate.index(value) if value in aggregate else len(aggregate)
    return aggregate[:found] + aggregate[found + 1 :]


IN_PLACE = Folds(append_in_place, remove_in_place, join_in_place)
ANEW = Folds(lambda k, v, a: [*a, v], without, lambda a, b: a + b)


@dataclass(frozen=True)
class Parts:
    """What a case builds with. The two streams are read, or repartitioned, alike."""

    app: App
    stream: KStream[str, Any]
    other: Callable[[], KStream[str, Any]]
    folds: Folds


@dataclass(frozen=True, kw_only=True)
class Case:
    """
    Args:
        operators: the classes whose entry this is.
        hold_back_ms: what the topology's operators must declare together.
        folds: it has functions that may change aggregates in place.
        reaches_back_ms: how much older than its input what comes out may be without having been held back: a session
            that is taken into another is deleted at its old end, as Kafka Streams does it.
        unit_ms: what its records' times are multiplied with.
    """

    name: str
    operators: tuple[type[Node], ...]
    attach: Callable[[Parts], Out]
    hold_back_ms: int = 0
    folds: bool = False
    reaches_back_ms: int = 0
    unit_ms: int = 1


def small(value: Any) -> int:
    return value or 0


def lists(stream: KStream[str, Any]) -> KStream[str, Any]:
    return stream.filter(lambda k, v: v is not None).map_values(lambda v: [v], value=Json())


# -- processors -------------------------------------------------------------------------------------------------------
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


def process(parts: Parts) -> Out:
    store = Stores.key_value("sums", key=str, value=int)
    return parts.stream.process(Summing, stores=[store], key=str, value=Json())


# -- windows ----------------------------------------------------------------------------------------------------------
def windowed(windows: Any, emit: Any = "update", late: bool = False) -> Callable[[Parts], Out]:
    def attach(parts: Parts) -> Out:
        late_records: list[KStream[str, Any]] = []
        group = parts.stream.group_by_key().windowed_by(windows, emit=emit, late=late_records.append if late else None)
        merger = {"merger": parts.folds.join} if isinstance(windows, type(SESSIONS)) else {}
        table = group.aggregate(list, parts.folds.append, value=Json(), store="rows", **merger)
        return late_records[0] if late else table

    return attach


def windowed_reduce(windows: Any) -> Callable[[Parts], Out]:
    """The first value becomes the aggregate as it is, in every window that holds it."""
    return lambda parts: lists(parts.stream).group_by_key().windowed_by(windows).reduce(parts.folds.join, store="rows")


def windowed_names(windows: Any, emit: Any) -> Callable[[Parts], Out]:
    return lambda parts: (
        parts.stream.map_values(small)
        .group_by_key()
        .windowed_by(windows, emit=emit)
        .aggregate(n=count(), total=sum_(F.value), all=collect(F.value), store="rows")
    )


def counted_again(attach: Callable[[Parts], Out], keep: bool = False) -> Callable[[Parts], Out]:
    """What is behind the table needs to know what each change replaces, and `keep`s the aggregates themselves."""

    def attach_more(parts: Parts) -> Out:
        rows = attach(parts)
        assert isinstance(rows, KTable)
        if keep:
            rows = rows.map_values(lambda v: v, value=Json(), store="kept")
        sizes = rows.group_by(lambda k, v: (str(len(v) % 3), v), key=str, value=Json())
        return sizes.aggregate(list, lambda k, v, a: [*a, v], lambda k, v, a: without(k, v, a), value=Json())

    return attach_more


SESSIONS = session(4 * MS, grace=3 * MS)


def cogrouped(windows: Any = None, emit: Any = "update") -> Callable[[Parts], Out]:
    def attach(parts: Parts) -> Out:
        left, right = parts.stream.group_by_key(), parts.other().group_by_key()
        both: Any = left.cogroup(parts.folds.append).cogroup(right, parts.folds.append)
        merger: list[Any] = []
        if windows is not None:
            both = both.windowed_by(windows, emit=emit)
            merger = [parts.folds.join] if isinstance(windows, type(SESSIONS)) else []
        return both.aggregate(list, *merger, value=Json(), store="rows")

    return attach


# -- tables -----------------------------------------------------------------------------------------------------------
def table(parts: Parts) -> KTable[str, Any]:
    return parts.stream.to_table(store="table")


def other_table(parts: Parts) -> KTable[str, Any]:
    return parts.other().to_table(store="other-table")


def pair(left: Any, right: Any) -> list[Any]:
    return [left, right]


def regrouped(parts: Parts) -> Any:
    """Keys by the parity of their values."""
    return table(parts).group_by(lambda k, v: ("odd" if v % 2 else "even", v), key=str, value=Json())


def regrouped_lists(parts: Parts) -> Any:
    rows = table(parts).map_values(lambda v: [v], value=Json())
    return rows.group_by(lambda k, v: ("odd" if v[0] % 2 else "even", v), key=str, value=Json(), name="parity")


def subtract_in_place(aggregate: list[Any], value: list[Any]) -> list[Any]:
    for each in value:
        if each in aggregate:
            aggregate.remove(each)
    return aggregate


def subtract_anew(aggregate: list[Any], value: list[Any]) -> list[Any]:
    return subtract_in_place(list(aggregate), value)


def reduce_twice(parts: Parts) -> Out:
    """Two aggregates begin with the value of a key's first record, and a third keeps it as it was."""
    group = lists(parts.stream).group_by_key()
    firsts = group.windowed_by(tumbling(10 * MS, grace=5 * MS))
    firsts.aggregate(lambda: None, lambda k, v, a: v if a is None else a, value=Json(), store="firsts")
    group.reduce(parts.folds.join, store="other-rows")
    return group.reduce(parts.folds.join, store="rows")


def table_reduce_twice(parts: Parts) -> Out:
    group = regrouped_lists(parts)
    subtract = subtract_in_place if parts.folds is IN_PLACE else subtract_anew
    group.reduce(parts.folds.join, subtract, store="other-rows")
    return group.reduce(parts.folds.join, subtract, store="rows")


def with_global_table(parts: Parts, *, left: bool = False) -> Out:
    rows = parts.app.global_table("global", key=str, value=Json(), store="everywhere")
    join = parts.stream.left_join if left else parts.stream.join
    return join(rows, pair, on=lambda k, v: k, value=Json())


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
    # records one by one
    Case(name="source", operators=(Source, Repartition), attach=lambda p: p.stream),
    Case(name="filter", operators=(Filter,), attach=lambda p: p.stream.filter(lambda k, v: small(v) > 3)),
    Case(name="filter nothing through", operators=(), attach=lambda p: p.stream.filter(lambda k, v: False)),
    Case(name="map", operators=(Map,), attach=lambda p: p.stream.map(lambda k, v: (f"{k}!", small(v)), key=str)),
    Case(name="map_values", operators=(MapValues,), attach=lambda p: p.stream.map_values(small)),
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
    # aggregates
    Case(
        name="aggregate",
        operators=(AggregateByKey,),
        attach=lambda p: p.stream.group_by_key().aggregate(list, p.folds.append, value=Json(), store="rows"),
        folds=True,
    ),
    Case(
        name="reduce",
        operators=(),
        attach=lambda p: lists(p.stream).group_by_key().reduce(p.folds.join, store="rows"),
        folds=True,
    ),
    Case(
        name="reduce of what others keep",
        operators=(),
        attach=reduce_twice,
        folds=True,
    ),
    Case(
        name="named aggregates",
        operators=(),
        attach=lambda p: (
            p.stream.map_values(small)
            .group_by_key()
            .aggregate(n=count(), worst=max_(F.value), all=collect(F.value), store="rows")
        ),
    ),
    Case(name="cogroup", operators=(Cogroup,), attach=cogrouped(), folds=True),
    Case(
        name="tumbling",
        operators=(AggregateByWindow,),
        attach=windowed(tumbling(10 * MS, grace=5 * MS)),
        folds=True,
    ),
    Case(
        name="tumbling at the close",
        operators=(),
        attach=windowed(tumbling(10 * MS, grace=5 * MS), "close"),
        hold_back_ms=15,
        folds=True,
    ),
    Case(name="hopping", operators=(), attach=windowed(hopping(10 * MS, 4 * MS, grace=5 * MS)), folds=True),
    Case(
        name="hopping reduce", operators=(), attach=windowed_reduce(hopping(10 * MS, 4 * MS, grace=5 * MS)), folds=True
    ),
    Case(
        name="hopping at the close",
        operators=(),
        attach=windowed(hopping(10 * MS, 4 * MS, grace=5 * MS), "close"),
        hold_back_ms=15,
        folds=True,
    ),
    Case(name="unlimited", operators=(), attach=windowed(unlimited(start=5)), folds=True),
    Case(
        name="calendar at the close",
        operators=(),
        attach=windowed(calendar("day", tz="UTC", grace=5 * MS), "close"),
        hold_back_ms=2 * 86_400_000 + 5,
        folds=True,
        unit_ms=3_600_000,
    ),
    Case(
        name="sliding",
        operators=(AggregateBySlidingWindow,),
        attach=windowed(sliding(6 * MS, grace=5 * MS)),
        folds=True,
    ),
    Case(name="sliding reduce", operators=(), attach=windowed_reduce(sliding(6 * MS, grace=5 * MS)), folds=True),
    Case(
        name="sliding at the close",
        operators=(),
        attach=windowed(sliding(6 * MS, grace=5 * MS), "close"),
        hold_back_ms=12,
        folds=True,
    ),
    Case(
        name="session",
        operators=(AggregateBySession,),
        attach=windowed(SESSIONS),
        folds=True,
        reaches_back_ms=4,
    ),
    Case(
        name="session reduce",
        operators=(),
        attach=windowed_reduce(SESSIONS),
        folds=True,
        reaches_back_ms=4,
    ),
    Case(
        name="session at the close",
        operators=(),
        attach=windowed(SESSIONS, "close"),
        hold_back_ms=8,
        folds=True,
    ),
    Case(
        name="named aggregates at the close",
        operators=(),
        attach=windowed_names(hopping(10 * MS, 4 * MS, grace=5 * MS), "close"),
        hold_back_ms=15,
    ),
    Case(
        name="late records",
        operators=(LateRecords,),
        attach=windowed(tumbling(10 * MS, grace=0 * MS), late=True),
        folds=True,
    ),
    Case(
        name="windowed cogroup",
        operators=(),
        attach=cogrouped(tumbling(10 * MS, grace=5 * MS)),
        folds=True,
    ),
    Case(
        name="session cogroup at the close",
        operators=(),
        attach=cogrouped(SESSIONS, "close"),
        hold_back_ms=8,
        folds=True,
    ),
    *(
        Case(
            name=f"{name} {how}",
            operators=(),
            attach=counted_again(attach, how == "kept"),
            folds=True,
            reaches_back_ms=4 if name == "session" else 0,
        )
        for name, attach in (
            (
                "aggregate",
                lambda p: p.stream.group_by_key().aggregate(list, p.folds.append, value=Json(), store="rows"),
            ),
            ("hopping", windowed(hopping(10 * MS, 4 * MS, grace=5 * MS))),
            ("sliding", windowed(sliding(6 * MS, grace=5 * MS))),
            ("session", windowed(SESSIONS)),
            ("cogroup", cogrouped()),
        )
        for how in ("grouped again", "kept")
    ),
    # tables
    Case(name="table", operators=(Materialize, ToStream), attach=table),
    Case(
        name="table filter",
        operators=(TableFilter,),
        attach=lambda p: table(p).filter(lambda k, v: v > 4, store="filtered"),
    ),
    Case(
        name="table map_values",
        operators=(TableMapValues,),
        attach=lambda p: table(p).map_values(lambda v: v * 2, store="mapped"),
    ),
    Case(
        name="table aggregate",
        operators=(TableGroup, AggregateTable),
        attach=lambda p: regrouped(p).aggregate(list, p.folds.append, p.folds.remove, value=Json(), store="rows"),
        folds=True,
    ),
    Case(
        name="table reduce",
        operators=(),
        attach=table_reduce_twice,
        folds=True,
    ),
    Case(name="table count", operators=(), attach=lambda p: regrouped(p).count(store="rows")),
    Case(
        name="stream-table join",
        operators=(StreamTableJoin,),
        attach=lambda p: p.stream.left_join(other_table(p), pair, value=Json()),
    ),
    Case(
        name="stream joined with an aggregate",
        operators=(),
        attach=lambda p: p.stream.join(
            p.other().group_by_key().aggregate(list, p.folds.append, value=Json(), store="rows"), pair, value=Json()
        ),
        folds=True,
    ),
    Case(
        name="table-table join",
        operators=(TableJoin, TableJoinSide),
        attach=lambda p: table(p).outer_join(other_table(p), pair, value=Json(), store="joined"),
    ),
    Case(name="global join", operators=(GlobalTable, GlobalTableJoin), attach=with_global_table),
)


def declared(
    case: Case, *, folds: Folds = ANEW, through: bool = False, emit: str = "all", on_failure: str = "fail"
) -> App:
    """The case's topology, from topics `in` and `other` to `out`.

    Args:
        through: with repartition topics `first` (and `other-first`) before and `second` behind it.
    """
    app = App("app", emit_updates=emit, processing_handler=on_failure)

    def read(topic: str, name: str) -> KStream[str, Any]:
        stream = app.stream(topic, key=str, value=Json())
        return stream.repartition(name=name) if through else stream

    made = case.attach(Parts(app, read("in", "first"), lambda: read("other", "other-first"), folds))
    if isinstance(made, KTable):
        made = made.to_stream()
    if made is not None:
        (made.repartition(name="second") if through else made).to("out")
    return app
