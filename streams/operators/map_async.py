"""`map_async`: one new value for each record, by an asynchronous function; many calls are made at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from streams.compile.call import arguments
from streams.compile.chain import Chain
from streams.compile.scope import RecordScope
from streams.graph.function import UserFunction
from streams.inflight import AsyncLine, CallPolicy
from streams.inflight.in_flight import required_loop
from streams.operators.in_flight import InFlightOperator

if TYPE_CHECKING:
    from streams.compile.program import TaskBinding
    from streams.inflight import Line


class MapAsync(InFlightOperator, frozen=True, kw_only=True, eq=False):
    """Source: none in Kafka Streams; what `map_values` does, in the same order. Null values go to the function."""

    kind: ClassVar[str] = "map-async"

    mapper: UserFunction
    policy: CallPolicy

    def line(self, binding: TaskBinding, ends: Callable[[], bool]) -> Line:
        assert callable(self.mapper.target)
        return AsyncLine(self.mapper.target, self.policy, required_loop(binding.calls))

    def write_arguments(self, chain: Chain, scope: RecordScope) -> tuple[RecordScope, list[str]]:
        return arguments(chain, scope, self.mapper)
