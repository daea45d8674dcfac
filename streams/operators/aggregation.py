"""What an aggregation does with one value, apart from where the aggregate is kept.

`aggregate.py` and `windowed_aggregate.py` find the row; an `Aggregation` writes the code that makes a new aggregate
of it. A row is `(state, timestamp)`; its timestamp is the largest of its records'.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from stores import ValueCodec
from streams.aggregates import Aggregate
from streams.compile.call import call
from streams.compile.chain import Chain
from streams.compile.scope import RecordScope
from streams.expressions import Expression
from streams.graph.function import UserFunction
from streams.serde import Json, Serde
from streams.serde.codec import codec_of
from streams.serde.immutable import SCALARS, is_immutable


class Updated(Struct, frozen=True):
    """What the code left behind: texts of the new state and of the value to forward (an expression evaluated at most
    once), the local of the row's time, whether the state may be None, which deletes the row, and the local of the
    value that is replaced, where somebody asked for it."""

    scope: RecordScope
    state: str
    result: str
    time: str
    nullable: bool
    old: str | None = None


class Aggregation(Protocol):
    """One way to fold values into an aggregate."""

    @property
    def accepts_null(self) -> bool:
        """Whether a null value can be folded in (windowed aggregations pass them on, as Kafka Streams does)."""
        ...

    @property
    def codec(self) -> ValueCodec:
        """How the state is written in the store and the changelog."""
        ...

    @property
    def expressions(self) -> tuple[Expression, ...]:
        """The expressions it evaluates on the value."""
        ...

    def present(self, state: Any) -> Any:
        """The aggregate as users see it, of a state."""
        ...

    def write_present(self, chain: Chain, state: str) -> str:
        """Code that takes the state in a local apart, and the text of the aggregate as users see it."""
        ...

    def write_update(
        self, chain: Chain, scope: RecordScope, row: str, *, tell_old: bool = False, copy: bool = False
    ) -> Updated:
        """Code that folds the current record into the row held by the local `row` (None: there is none yet).

        `tell_old`: leave the replaced value in a local. `copy`: the state is shared, a user's function gets a copy.
        """
        ...

    def write_merge(self, chain: Chain, scope: RecordScope, sessions: str, row: str, *, copy: bool = False) -> None:
        """Code that makes `row` of `sessions`, the local of a list of (end, start, row) with at least one in it, the
        oldest first: they merge into one."""
        ...


def write_time(chain: Chain, scope: RecordScope, time: str) -> None:
    with chain.block(f"if {scope.timestamp} > {time}:"):
        chain.line(f"{time} = {scope.timestamp}")


def _write_old(chain: Chain, text: str) -> str:
    old = chain.local("old")
    chain.line(f"{old} = {text}")
    return old


class SingleAggregation(Struct, frozen=True, kw_only=True):
    """What aggregations have in common whose state is the aggregate itself, written with one serde."""

    serde: Serde

    @property
    def codec(self) -> ValueCodec:
        return codec_of(self.serde)

    @property
    def expressions(self) -> tuple[Expression, ...]:
        return ()

    def present(self, state: Any) -> Any:
        return state

    def write_present(self, chain: Chain, state: str) -> str:
        return state

    def write_copy(self, chain: Chain, state: str, *, always: bool) -> None:
        """Code that replaces a state by one of its own, made as the store would read it back, for a function that may
        change it in place.

        Args:
            always: somebody else keeps the state. Else only where a failure of the function may be passed over, so
                that what it did before it raised would stay; where it may not, the stores are thrown back to the last
                commit by it.
        """
        if is_immutable(self.serde.type):
            return
        wanted = f"type({state}) not in {chain.bind(SCALARS, 'immutable')}"
        with chain.block(f"if {wanted}:" if always else f"if may_skip and {wanted}:"):
            chain.line(f"{state} = {chain.deserialize(self.serde, chain.serialize(self.serde, state))}")

    def write_first(self, chain: Chain, state: str, value: str) -> None:
        """Code that makes a value the state, for reducers: it becomes an object of the row's own, because other
        windows, other operators and other stores have the value too, and the reducer may change the state in place."""
        chain.line(f"{state} = {value}")
        self.write_copy(chain, state, always=True)


class FoldAggregation(SingleAggregation, frozen=True, kw_only=True):
    """`aggregate(initializer, aggregator)`. Source: `KStreamAggregate`, `KStreamWindowAggregate`.

    The first update of a key tells what the initializer gave as its old value, as in Kafka Streams.
    """

    initializer: UserFunction
    aggregator: UserFunction
    merger: UserFunction | None = None
    """(aggregate, an older session's aggregate) -> aggregate; sessions alone need it."""
    accepts_null: bool = True

    def write_update(
        self, chain: Chain, scope: RecordScope, row: str, *, tell_old: bool = False, copy: bool = False
    ) -> Updated:
        state, time = chain.local("aggregate"), chain.local("row_time")
        initial = f"{chain.bind(self.initializer.target, 'initializer')}()"
        with chain.block(f"if {row} is None:"):
            chain.line(f"{state} = {initial}")
            chain.line(f"{time} = {scope.timestamp}")
        with chain.block("else:"):
            chain.line(f"{state}, {time} = {row}")
            write_time(chain, scope, time)
        old = _write_old(chain, state) if tell_old else None
        self.write_copy(chain, state, always=copy)
        scope, text = call(chain, scope, self.aggregator, {"aggregate": state}, hint="aggregator")
        chain.line(f"{state} = {text}")
        return Updated(scope, state, state, time, nullable=True, old=old)

    def write_merge(self, chain: Chain, scope: RecordScope, sessions: str, row: str, *, copy: bool = False) -> None:
        assert self.merger is not None
        state, other, time = chain.local("aggregate"), chain.local("other"), chain.local("row_time")
        chain.line(f"{state} = {chain.bind(self.initializer.target, 'initializer')}()")
        with chain.block(f"for _, _, ({other}, {time}) in {sessions}:"):
            self.write_copy(chain, other, always=copy)
            _, text = call(chain, scope, self.merger, {"aggregate": state, "other": other}, hint="merger")
            chain.line(f"{state} = {text}")
        chain.line(f"{row} = {state}, {time}")


class ReduceAggregation(SingleAggregation, frozen=True, kw_only=True):
    """`reduce(reducer)`: the first value is the aggregate, as it is. Source: `KStreamReduce`."""

    reducer: UserFunction
    accepts_null: bool = False

    def write_update(
        self, chain: Chain, scope: RecordScope, row: str, *, tell_old: bool = False, copy: bool = False
    ) -> Updated:
        state, time = chain.local("aggregate"), chain.local("row_time")
        old = chain.local("old") if tell_old else None
        scope, value = chain.value(scope)
        if self.reducer.wants_context or "key" in self.reducer.arguments:
            scope, _ = chain.key(scope)
        with chain.block(f"if {row} is None:"):
            self.write_first(chain, state, value)
            chain.line(f"{time} = {scope.timestamp}")
            if old is not None:
                chain.line(f"{old} = None")
        with chain.block("else:"):
            chain.line(f"{state}, {time} = {row}")
            write_time(chain, scope, time)
            if old is not None:
                chain.line(f"{old} = {state}")
            self.write_copy(chain, state, always=copy)
            _, text = call(chain, scope, self.reducer, {"aggregate": state}, hint="reducer")
            chain.line(f"{state} = {text}")
        return Updated(scope, state, state, time, nullable=True, old=old)

    def write_merge(self, chain: Chain, scope: RecordScope, sessions: str, row: str, *, copy: bool = False) -> None:
        """The reducer merges too; it is called with aggregates only."""
        state, other, time = chain.local("aggregate"), chain.local("other"), chain.local("row_time")
        chain.line(f"{state} = None")
        with chain.block(f"for _, _, ({other}, {time}) in {sessions}:"):
            self.write_copy(chain, other, always=copy)
            merged = replace(scope, value=other, value_source=None, value_bytes=None)
            _, text = call(chain, merged, self.reducer, {"aggregate": state}, hint="reducer")
            chain.line(f"{state} = {other} if {state} is None else {text}")
        chain.line(f"{row} = None if {state} is None else ({state}, {time})")


class CountAggregation(SingleAggregation, frozen=True, kw_only=True):
    """`count()`: how many records, null values of windowed groups included. Source: `KGroupedStream.count`.

    The first update of a key tells 0 as its old value, as in Kafka Streams.
    """

    accepts_null: bool = True

    def write_update(
        self, chain: Chain, scope: RecordScope, row: str, *, tell_old: bool = False, copy: bool = False
    ) -> Updated:
        state, time = chain.local("count"), chain.local("row_time")
        with chain.block(f"if {row} is None:"):
            chain.line(f"{state} = 1")
            chain.line(f"{time} = {scope.timestamp}")
        with chain.block("else:"):
            chain.line(f"{state}, {time} = {row}")
            chain.line(f"{state} += 1")
            write_time(chain, scope, time)
        old = _write_old(chain, f"{state} - 1") if tell_old else None
        return Updated(scope, state, state, time, nullable=False, old=old)

    def write_merge(self, chain: Chain, scope: RecordScope, sessions: str, row: str, *, copy: bool = False) -> None:
        other = chain.local("other")
        chain.line(f"{row} = {sessions}[-1][2]")
        with chain.block(f"if len({sessions}) > 1:"):
            chain.line(f"{row} = sum([{other}[2][0] for {other} in {sessions}]), {row}[1]")


class Column(Struct, frozen=True, kw_only=True):
    """One of several named aggregates: what it aggregates (None: no value at all), and the type of that."""

    name: str
    aggregate: Aggregate
    of: UserFunction | None
    of_type: Any


class NamedAggregation(Struct, frozen=True, kw_only=True):
    """`aggregate(flights=count(), worst=max_(F.minutes), …)`: several aggregates side by side, inlined.

    The state is the flat tuple of all aggregates' states, written as a JSON array; the result is `result_type`, a
    struct with one field per name. A null value, which only windowed groups let through, counts for `count()` alone.
    """

    columns: tuple[Column, ...]
    result_type: type[msgspec.Struct]
    accepts_null: bool = False

    @property
    def codec(self) -> ValueCodec:
        types = tuple(kind for column in self.columns for kind in column.aggregate.state_types(column.of_type))
        return codec_of(Json(tuple[types]))

    @property
    def expressions(self) -> tuple[Expression, ...]:
        targets = (column.of.target for column in self.columns if column.of is not None)
        return tuple(target for target in targets if isinstance(target, Expression))

    def present(self, state: Any) -> Any:
        names = [f"s{i}" for i in range(len(state))]
        values = dict(zip(names, state, strict=True))
        functions = {name: each for column in self.columns for name, each in column.aggregate.functions.items()}
        return self.result_type(*(eval(source, functions, values) for source in self._results(names)))

    def state_locals(self, chain: Chain) -> list[str]:
        """Fresh locals for the flat state, where all that the aggregates' templates call is at hand."""
        for column in self.columns:
            for name, function in column.aggregate.functions.items():
                chain.module.namespace.provide(name, function)
        return [chain.local(f"{c.name}_{i}") for c in self.columns for i in range(c.aggregate.state_fields)]

    def write_present(self, chain: Chain, state: str) -> str:
        states = self.state_locals(chain)
        chain.line(f"({', '.join(states)},) = {state}")
        return self.result_source(chain, states)

    def result_source(self, chain: Chain, states: list[str]) -> str:
        """The text that makes the result of the flat state."""
        return f"{chain.bind(self.result_type, self.result_type.__name__)}({', '.join(self._results(states))})"

    def _results(self, names: list[str]) -> list[str]:
        return [column.aggregate.result_source(own) for column, own in self.shares(names)]

    def shares(self, states: list[str]) -> Iterator[tuple[Column, list[str]]]:
        """Each column with its part of the flat state."""
        position = 0
        for column in self.columns:
            yield column, states[position : position + column.aggregate.state_fields]
            position += column.aggregate.state_fields

    def write_initial(self, chain: Chain, states: list[str]) -> None:
        """Code that begins a state."""
        for column, own in self.shares(states):
            for state, text in zip(own, column.aggregate.initial_source(), strict=True):
                chain.line(f"{state} = {text}")

    def write_update(
        self, chain: Chain, scope: RecordScope, row: str, *, tell_old: bool = False, copy: bool = False
    ) -> Updated:
        time, states = chain.local("row_time"), self.state_locals(chain)
        old = chain.local("old") if tell_old else None
        flat = "(" + ", ".join(states) + ",)"
        with chain.block(f"if {row} is None:"):
            self.write_initial(chain, states)
            chain.line(f"{time} = {scope.timestamp}")
            if old is not None:
                chain.line(f"{old} = None")
        with chain.block("else:"):
            chain.line(f"{flat}, {time} = {row}")
            write_time(chain, scope, time)
            if old is not None:
                chain.line(f"{old} = {self.result_source(chain, states)}")
        fed: list[tuple[UserFunction, Aggregate, list[str]]] = []
        for column, own in self.shares(states):
            if column.of is not None:
                fed.append((column.of, column.aggregate, own))
                continue
            for line in column.aggregate.update_source(own, "None"):
                chain.line(line)
        if fed and self.accepts_null:
            scope, value = chain.value(scope)
            with chain.block(f"if {value} is not None:"):
                self._write_fed(chain, scope, fed)
        elif fed:
            self._write_fed(chain, scope, fed)
        return Updated(scope, flat, self.result_source(chain, states), time, nullable=False, old=old)

    def write_merge(self, chain: Chain, scope: RecordScope, sessions: str, row: str, *, copy: bool = False) -> None:
        states, others = self.state_locals(chain), self.state_locals(chain)
        time = chain.local("row_time")
        self.write_initial(chain, states)
        with chain.block(f"for _, _, (({', '.join(others)},), {time}) in {sessions}:"):
            for (column, own), (_, later) in zip(self.shares(states), self.shares(others), strict=True):
                for line in column.aggregate.merge_source(own, later):
                    chain.line(line)
        chain.line(f"{row} = ({', '.join(states)},), {time}")

    @staticmethod
    def _write_fed(chain: Chain, scope: RecordScope, fed: Sequence[tuple[UserFunction, Aggregate, list[str]]]) -> None:
        """Code that adds to each aggregate's states what its function gives; what several aggregate is made once."""
        texts: list[str] = []
        for function, _, _ in fed:
            scope, text = call(chain, scope, function, hint="input")
            texts.append(text)
        made: dict[str, str] = {}
        for text in texts:
            if texts.count(text) > 1 and text not in made:
                made[text] = chain.local("input")
                chain.line(f"{made[text]} = {text}")
        for (_, aggregate, states), text in zip(fed, texts, strict=True):
            for line in aggregate.update_source(states, made.get(text, text)):
                chain.line(line)
