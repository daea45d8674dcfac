"""`map_batch`: one new value for each record, by a function that is called with many values at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from streams.compile.chain import Chain
from streams.compile.scope import RecordScope
from streams.graph.function import UserFunction
from streams.inflight import BatchFormat, BatchLine, batch_values
from streams.operators.in_flight import InFlightOperator

if TYPE_CHECKING:
    from streams.compile.program import TaskBinding
    from streams.inflight import Line


class MapBatch(InFlightOperator, frozen=True, kw_only=True, eq=False):
    """Source: none in Kafka Streams; what `map_values` does, in the same order. Null values are in the batch."""

    kind: ClassVar[str] = "map-batch"

    mapper: UserFunction
    max_size: int
    max_wait_ms: int
    form: BatchFormat = "list"

    def line(self, binding: TaskBinding, ends: Callable[[], bool]) -> Line:
        assert callable(self.mapper.target)
        return BatchLine(
            self.mapper.target,
            max_size=self.max_size,
            max_wait_ms=self.max_wait_ms,
            values=batch_values(self.form),
            may_skip=binding.may_skip,
            wall_clock=binding.wall_clock,
            ends=ends,
        )

    def write_arguments(self, chain: Chain, scope: RecordScope) -> tuple[RecordScope, list[str]]:
        scope, value = chain.value(scope)
        return scope, [value]
