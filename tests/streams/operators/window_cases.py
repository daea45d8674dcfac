"""Aggregations of streams, by key and by window."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from streams import (
    Json,
    KStream,
    KTable,
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
from streams.operators.aggregate import AggregateByKey
from streams.operators.cogroup import Cogroup
from streams.operators.late_records import LateRecords
from streams.operators.session_aggregate import AggregateBySession
from streams.operators.sliding_aggregate import AggregateBySlidingWindow
from streams.operators.windowed_aggregate import AggregateByWindow
from tests.streams.operators.case import MS, Case, Out, Parts, lists, small, without


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


def reduce_twice(parts: Parts) -> Out:
    """Two aggregates begin with the value of a key's first record, and a third keeps it as it was."""
    group = lists(parts.stream).group_by_key()
    firsts = group.windowed_by(tumbling(10 * MS, grace=5 * MS))
    firsts.aggregate(lambda: None, lambda k, v, a: v if a is None else a, value=Json(), store="firsts")
    group.reduce(parts.folds.join, store="other-rows")
    return group.reduce(parts.folds.join, store="rows")


CASES: tuple[Case, ...] = (
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
)
