"""What an aggregation of a grouped table does with one change: subtract the old value, add the new one."""

from __future__ import annotations

from typing import Any, Protocol

from stores import ValueCodec
from streams.compile.call import call
from streams.compile.chain import Chain
from streams.compile.scope import RecordScope
from streams.expressions import Expression
from streams.graph.function import UserFunction
from streams.operators.aggregation import Column, NamedAggregation, SingleAggregation, Updated, write_time


class TableAggregation(Protocol):
    """One way to keep an aggregate of the values that a table has at the moment."""

    @property
    def codec(self) -> ValueCodec: ...

    @property
    def expressions(self) -> tuple[Expression, ...]: ...

    def present(self, state: Any) -> Any:
        """The aggregate as users see it, of a state."""
        ...

    def write_present(self, chain: Chain, state: str) -> str:
        """The text of the aggregate as users see it, of the state in a local."""
        ...

    def write_change(
        self, chain: Chain, scope: RecordScope, row: str, new: str, old: str, *, tell_old: bool, copy: bool
    ) -> Updated:
        """Code that takes the local `old` out of the row in the local `row` and puts `new` in; any may be None.

        State and result are locals, None if there is no aggregate. `tell_old` and `copy` as in `Aggregation`.
        """
        ...


class TableFold(SingleAggregation, frozen=True, kw_only=True):
    """`aggregate(initializer, adder, subtractor)`, and `reduce(adder, subtractor)`, which has no initializer: the
    first value is the aggregate as it is. Source: `KTableAggregate`, `KTableReduce`."""

    initializer: UserFunction | None
    adder: UserFunction
    subtractor: UserFunction

    def write_change(
        self, chain: Chain, scope: RecordScope, row: str, new: str, old: str, *, tell_old: bool, copy: bool
    ) -> Updated:
        state, time = chain.local("aggregate"), chain.local("row_time")
        before = chain.local("old") if tell_old else None
        if any(f.wants_context or "key" in f.arguments for f in (self.adder, self.subtractor)):
            scope, _ = chain.key(scope)  # once, above the branches
        with chain.block(f"if {row} is None:"):
            chain.line(f"{state} = None")
            chain.line(f"{time} = {scope.timestamp}")
            if before is not None:
                chain.line(f"{before} = None")
        with chain.block("else:"):
            chain.line(f"{state}, {time} = {row}")
            write_time(chain, scope, time)
            if before is not None:
                chain.line(f"{before} = {state}")
            self.write_copy(chain, state, always=copy)
            with chain.block(f"if {old} is not None:"):
                self._write_call(chain, scope, self.subtractor, state, old, "subtractor")
        with chain.block(f"if {new} is not None:"):
            if self.initializer is None:
                with chain.block(f"if {state} is None:"):
                    self.write_first(chain, state, new)
                with chain.block("else:"):
                    self._write_call(chain, scope, self.adder, state, new, "adder")
            else:
                with chain.block(f"if {state} is None:"):
                    chain.line(f"{state} = {chain.bind(self.initializer.target, 'initializer')}()")
                self._write_call(chain, scope, self.adder, state, new, "adder")
        return Updated(scope, state, state, time, nullable=True, old=before)

    @staticmethod
    def _write_call(
        chain: Chain, scope: RecordScope, function: UserFunction, state: str, value: str, hint: str
    ) -> None:
        _, text = call(chain, scope, function, {"aggregate": state, "value": value}, hint=hint)
        chain.line(f"{state} = {text}")


class TableCount(SingleAggregation, frozen=True, kw_only=True):
    """`count()`: how many rows fall into the group; a group that becomes empty stays, with 0.

    Source: `KGroupedTable.count`.
    """

    def write_change(
        self, chain: Chain, scope: RecordScope, row: str, new: str, old: str, *, tell_old: bool, copy: bool
    ) -> Updated:
        state, time = chain.local("count"), chain.local("row_time")
        before = chain.local("old") if tell_old else None
        with chain.block(f"if {row} is None:"):
            chain.line(f"{state} = None if {new} is None else 1")
            chain.line(f"{time} = {scope.timestamp}")
            if before is not None:
                chain.line(f"{before} = None")
        with chain.block("else:"):
            chain.line(f"{state}, {time} = {row}")
            write_time(chain, scope, time)
            if before is not None:
                chain.line(f"{before} = {state}")
            chain.line(f"{state} += ({new} is not None) - ({old} is not None)")
        return Updated(scope, state, state, time, nullable=True, old=before)


class NamedTableAggregation(NamedAggregation, frozen=True, kw_only=True):
    """`aggregate(total=sum_(F.amount), …)` of a table: named aggregates that can be subtracted, inlined."""

    def write_change(
        self, chain: Chain, scope: RecordScope, row: str, new: str, old: str, *, tell_old: bool, copy: bool
    ) -> Updated:
        state, result, time = chain.local("state"), chain.local("value"), chain.local("row_time")
        states = self.state_locals(chain)
        flat = "(" + ", ".join(states) + ",)"
        before = chain.local("old") if tell_old else None
        if before is not None:
            chain.line(f"{before} = None")
        with chain.block(f"if {row} is None and {new} is None:"):
            chain.line(f"{state} = {result} = None")
            chain.line(f"{time} = {scope.timestamp}")
        with chain.block("else:"):
            with chain.block(f"if {row} is None:"):
                self.write_initial(chain, states)
                chain.line(f"{time} = {scope.timestamp}")
            with chain.block("else:"):
                chain.line(f"{flat}, {time} = {row}")
                write_time(chain, scope, time)
                if before is not None:
                    chain.line(f"{before} = {self.result_source(chain, states)}")
                with chain.block(f"if {old} is not None:"):
                    for column, own in self.shares(states):
                        self._write_lines(chain, scope, column, own, old, subtract=True)
            with chain.block(f"if {new} is not None:"):
                for column, own in self.shares(states):
                    self._write_lines(chain, scope, column, own, new, subtract=False)
            chain.line(f"{state} = {flat}")
            chain.line(f"{result} = {self.result_source(chain, states)}")
        return Updated(scope, state, result, time, nullable=True, old=before)

    @staticmethod
    def _write_lines(
        chain: Chain, scope: RecordScope, column: Column, states: list[str], value: str, *, subtract: bool
    ) -> None:
        seen = scope.with_new_value(scope.schema, value)
        text = "None" if column.of is None else call(chain, seen, column.of, hint="input")[1]
        aggregate = column.aggregate
        lines = aggregate.subtract_source(states, text) if subtract else aggregate.update_source(states, text)
        for line in lines or ():
            chain.line(line)
