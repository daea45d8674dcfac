"""What `windowed_by` was told, and the operators and stores that follow from it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, get_args

from msgspec import Struct

from stores import SessionSpec, WindowSpec
from streams.dsl.aggregations import Group
from streams.dsl.ktable import KTable
from streams.dsl.materialize import refuse_versions
from streams.errors import SourceLine
from streams.graph.schema import Part, Schema
from streams.operators.aggregation import Aggregation
from streams.operators.late_records import LateRecords
from streams.operators.session_aggregate import AggregateBySession
from streams.operators.sliding_aggregate import AggregateBySlidingWindow
from streams.operators.window_aggregate import Emit, WindowAggregate
from streams.operators.windowed_aggregate import AggregateByWindow
from streams.serde import session_serde, windowed_serde, windowed_serde_ending
from streams.state import StoreName
from streams.windowed import Windowed
from streams.windows import SessionWindows, SlidingWindows, UnlimitedWindows, Windows, unlimited
from streams.windows.duration import FOREVER

LateHandler = Callable[[Any], Any]
"""Called with the `KStream` of the records that were too late."""


class Windowing(Struct, frozen=True):
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
        if not isinstance(windows, SlidingWindows | SessionWindows) and not hasattr(windows, "longest_ms"):
            group.builder.problem(
                "windowed_by needs windows, such as tumbling(timedelta(minutes=1), grace=timedelta(0)), got "
                f"{windows!r}",
                origin,
            )
            windows = unlimited()
        if emit not in get_args(Emit):
            group.builder.problem(f'emit is "update" or "close", got {emit!r}', origin)
        if emit == "close" and isinstance(windows, UnlimitedWindows):
            group.builder.problem('unlimited windows never close: emit="close" would never give a result', origin)
        return cls(group, windows, emit, late)

    def aggregate(
        self,
        made: tuple[Aggregation, Part],
        store: StoreName | None,
        retention: timedelta | None,
        kind: str,
        origin: SourceLine | None,
    ) -> KTable[Any, Any]:
        """The table of one aggregation of the group."""
        group, (aggregation, part) = self.group, made
        prefix = "session" if isinstance(self.windows, SessionWindows) else "windowed"
        refuse_versions(group.builder, store, "windows are kept by their start", origin)
        name = group.builder.store_name(store, group.node, f"{prefix}-{kind}", origin)
        spec = self.store_spec(name, aggregation, retention, origin)
        node = self.append(group, aggregation, part, spec, group.name or name, name, name, origin)
        return KTable(group.builder, node)

    def store_spec(
        self, name: str, aggregation: Aggregation, retention: timedelta | None, origin: SourceLine | None
    ) -> WindowSpec | SessionSpec:
        """The store of the windows. A retention that is too short is noted as a problem at `origin`."""
        windows, codec = self.windows, aggregation.codec
        said = self.group.builder.materialized(name)
        if retention is None and said is not None:
            retention = said.retention
        # A closed window must still be there when it comes out; with the least retention it could be forgotten 1 ms
        # before.
        closing = 1 if self.emit == "close" else 0
        if isinstance(windows, SessionWindows):
            # Never 0: a store that hides each session as soon as it is put would never let two records of one moment
            # meet, which is the flaw of Kafka Streams for a gap of 0 without grace.
            least = max(windows.gap_ms + windows.grace_ms, 1)
            kept = self._retention(name, least, "gap and grace", retention, origin)
            return SessionSpec(name=name, codec=codec, retention_ms=kept + closing)
        if isinstance(windows, SlidingWindows):
            least = 2 * windows.difference_ms + windows.grace_ms
            kept = self._retention(name, least, "twice their difference and grace", retention, origin)
            return WindowSpec(
                name=name, codec=codec, size_ms=windows.difference_ms, retention_ms=kept + closing, access="key"
            )
        if isinstance(windows, UnlimitedWindows):
            return WindowSpec(name=name, codec=codec, size_ms=FOREVER, retention_ms=FOREVER)
        kept = self._retention(name, windows.longest_ms + windows.grace_ms, "size and grace", retention, origin)
        return WindowSpec(
            name=name,
            codec=codec,
            size_ms=windows.longest_ms,
            retention_ms=kept,
            segment_ms=windows.segment_ms if self.emit == "close" else None,
        )

    def _retention(
        self, name: str, least: int, what: str, retention: timedelta | None, origin: SourceLine | None
    ) -> int:
        if retention is None:
            return least
        kept = retention // timedelta(milliseconds=1)
        if kept < least:
            self.group.builder.problem(
                f"the retention of store {name!r} is {kept} ms, but its windows need their {what}, {least} ms", origin
            )
        return kept

    def append(
        self,
        group: Group,
        aggregation: Aggregation,
        part: Part,
        spec: WindowSpec | SessionSpec,
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
        elif isinstance(windows, SessionWindows):
            key = Part(Windowed, session_serde(inner))
            node = AggregateBySession(schema=Schema(key, part), windows=windows, **shared)
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
