"""What `windowed_by` was told, and the operators and stores that follow from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, get_args

from stores import WindowSpec
from streams.dsl.aggregations import Group
from streams.errors import SourceLine
from streams.graph.schema import Part, Schema
from streams.operators.aggregation import Aggregation
from streams.operators.late_records import LateRecords
from streams.operators.sliding_aggregate import AggregateBySlidingWindow
from streams.operators.window_aggregate import Emit, WindowAggregate
from streams.operators.windowed_aggregate import AggregateByWindow
from streams.serde import windowed_serde, windowed_serde_ending
from streams.windowed import Windowed
from streams.windows import SlidingWindows, UnlimitedWindows, Windows
from streams.windows.duration import FOREVER

LateHandler = Callable[[Any], Any]
"""Called with the `KStream` of the records that were too late."""


@dataclass(frozen=True, slots=True)
class Windowing:
    """A group, the windows it is cut into, when their results come out, and where late records go."""

    group: Group
    windows: Windows
    emit: Emit
    late: LateHandler | None

    @classmethod
    def of(
        cls, group: Group, windows: Windows, emit: Emit, late: LateHandler | None, origin: SourceLine | None
    ) -> Windowing:
        """Checked: what does not fit is noted as a problem at `origin`."""
        if emit not in get_args(Emit):
            group.builder.problem(f'emit is "update" or "close", got {emit!r}', origin)
        if emit == "close" and isinstance(windows, UnlimitedWindows):
            group.builder.problem('unlimited windows never close: emit="close" would never give a result', origin)
        return cls(group, windows, emit, late)

    def window_spec(
        self, name: str, aggregation: Aggregation, retention: timedelta | None, origin: SourceLine | None
    ) -> WindowSpec:
        """The store of time, calendar, unlimited or sliding windows."""
        windows = self.windows
        segment_ms: int | None = None
        if isinstance(windows, SlidingWindows):
            size_ms, least, what = windows.difference_ms, 2 * windows.difference_ms + windows.grace_ms, "2 differences"
        else:
            size_ms, least, what = windows.longest_ms, windows.longest_ms + windows.grace_ms, "their size"
            if self.emit == "close":
                segment_ms = windows.segment_ms
        if least >= FOREVER:
            return WindowSpec(name=name, codec=aggregation.codec, size_ms=FOREVER, retention_ms=FOREVER)
        retention_ms = least if retention is None else retention // timedelta(milliseconds=1)
        if retention_ms < least:
            self.group.builder.problem(
                f"the retention of store {name!r} is {retention_ms} ms, but its windows need {what} and grace, "
                f"{least} ms",
                origin,
            )
        return WindowSpec(
            name=name, codec=aggregation.codec, size_ms=size_ms, retention_ms=retention_ms, segment_ms=segment_ms
        )

    def append(
        self,
        group: Group,
        aggregation: Aggregation,
        part: Part,
        spec: WindowSpec,
        group_name: str,
        clock_name: str,
        label: str,
        origin: SourceLine | None,
    ) -> WindowAggregate:
        """Adds the operator that aggregates `group`, and the one its late records come out of."""
        windows, inner = self.windows, group.schema.key_serde()
        shared: dict[str, Any] = {
            "parents": (group.node,),
            "group": group.schema,
            "group_name": group_name,
            "origin": origin,
            "label": label,
            "spec": spec,
            "aggregation": aggregation,
            "emit": self.emit,
            "clock_name": clock_name,
        }
        node: WindowAggregate
        if isinstance(windows, SlidingWindows):
            key = Part(Windowed, windowed_serde(inner, windows.difference_ms))
            node = AggregateBySlidingWindow(schema=Schema(key, part), windows=windows, **shared)
        else:
            key = Part(Windowed, windowed_serde_ending(inner, windows.end_of, windows.form))
            node = AggregateByWindow(schema=Schema(key, part), windows=windows, **shared)
        group.builder.add(node)
        if self.late is not None:
            self._append_late(node)
        return node

    def _append_late(self, node: WindowAggregate) -> None:
        from streams.dsl.kstream import KStream

        builder = self.group.builder
        late = LateRecords(
            parents=(node,), schema=node.group, origin=node.origin, label=builder.label(None, node, LateRecords.kind)
        )
        assert self.late is not None
        self.late(KStream(builder, builder.add(late)))
