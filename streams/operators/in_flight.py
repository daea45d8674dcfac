"""What operators share whose results come later than their records: the line the records wait in."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from streams.compile.chain import Chain
from streams.compile.in_flight import TASK_TIME_NOW, line_of
from streams.compile.scope import RecordScope
from streams.graph.node import Node

if TYPE_CHECKING:
    from streams.compile.program import TaskBinding
    from streams.inflight import Line


class InFlightOperator(Node, frozen=True, kw_only=True, eq=False):
    """Records go out in the order they came, with their own keys, timestamps and headers."""

    in_flight: ClassVar[bool] = True

    def line(self, binding: TaskBinding, ends: Callable[[], bool]) -> Line:
        """The operator's line in one task; `ends` says that batches are to end as they are."""
        raise NotImplementedError

    def write_arguments(self, chain: Chain, scope: RecordScope) -> tuple[RecordScope, list[str]]:
        """The texts of what the line is given of a record."""
        raise NotImplementedError

    def write(self, chain: Chain, scope: RecordScope, parent: Node) -> None:
        names = line_of(chain, self, scope, self.line)
        scope, key = chain.key_bytes(scope) if names.by_key_bytes else chain.key(scope)
        scope, arguments = self.write_arguments(chain, scope)
        given = "".join(f"{argument}, " for argument in arguments)
        record = f"{scope.timestamp}, {scope.headers}, {scope.message}"
        chain.line(f"{names.take}({key}, ({given}), {record}, {TASK_TIME_NOW})")
