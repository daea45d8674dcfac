"""`suppress`: what a table says less often than it changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar, get_origin

from stores import BufferSpec
from streams.dsl.suppressed import Suppressed
from streams.dsl.table_handle import TableHandle
from streams.errors import SourceLine
from streams.graph.node import Node
from streams.graph.origin import caller_origin
from streams.operators.suppress import Suppress
from streams.operators.window_aggregate import WindowAggregate
from streams.operators.windowed_aggregate import AggregateByWindow
from streams.state import Materialized
from streams.windowed import Windowed
from streams.windows import UnlimitedWindows

if TYPE_CHECKING:
    from streams.dsl.ktable import KTable

K = TypeVar("K")
V = TypeVar("V")


class TableSuppression(TableHandle[K, V]):
    """`suppress`."""

    __slots__ = ()

    def suppress(self, suppressed: Suppressed, *, name: str | None = None) -> KTable[K, V]:
        """The table with fewer changes: those of a key wait, and only the last of them comes out.

            counts.suppress(until_window_closes())                            # each window's final result
            table.suppress(until_time_limit(timedelta(minutes=1)))            # at most a change per key and minute
            table.suppress(until_time_limit(limit, BufferConfig.max_records(10_000)))

        Changes come out by event time, that of the changes themselves: when none come, nothing does. A result keeps
        the timestamp and headers of the change it is. What waits survives restarts, and moves with its task.

        Args:
            suppressed: `until_window_closes` is for results of windowed aggregations, which wait for the window's end
                and its grace; deleted windows do not come out. `until_time_limit` is for any table.
            name: of the operator; its store is `<name>-store`.

        Source: `KTable.suppress` (KIP-328).
        """
        origin, builder, table = caller_origin(), self.builder, self.node
        label = builder.label(name, table, Suppress.kind)
        if table.versions is not None:
            builder.problem("suppress is for tables that are not versioned: it would hide versions", origin)
        if not isinstance(suppressed, Suppressed):  # pyright: ignore[reportUnnecessaryIsInstance]
            builder.problem(
                "suppress needs to know until when: until_window_closes() or until_time_limit(timedelta(…)), got "
                f"{suppressed!r}",
                origin,
            )
            return self._table(table)
        wait_ms = held_ms = suppressed.limit_ms
        if wait_ms is None or held_ms is None:
            wait_ms, held_ms = self._until_closed(origin)
        buffer = suppressed.buffer
        kept = Materialized(None if name is None else f"{name}-store", logged=buffer.logged, changelog=buffer.changelog)
        store = builder.store_name(kept, table, Suppress.kind, origin)
        return self._table(
            builder.add(
                Suppress(
                    parents=(table,),
                    schema=table.schema,
                    origin=origin,
                    label=label,
                    spec=BufferSpec(name=store, keyed=True, logged=buffer.logged),
                    wait_ms=wait_ms,
                    held_ms=held_ms,
                    final=suppressed.limit_ms is None,
                    record_limit=buffer.record_limit,
                    byte_limit=buffer.byte_limit,
                    when_full=buffer.when_full,
                )
            )
        )

    def _until_closed(self, origin: SourceLine | None) -> tuple[int, int]:
        """How long after its end a window closes, and how long after a record's time its result may come out, ms.

        Source: `GraphGraceSearchUtil`: the nearest windows on each way up; the longest grace where they differ.
        """
        windows = list(_windows_above(self.node))
        key = self.node.schema.key.type
        if not windows or None in windows or Windowed not in (key, get_origin(key)):
            self.builder.problem(
                "suppress(until_window_closes()) needs the results of a windowed aggregation, by window; for other "
                "tables there is until_time_limit",
                origin,
            )
            return 0, 0
        found = [each for each in windows if each is not None]
        if any(isinstance(each, AggregateByWindow) and isinstance(each.windows, UnlimitedWindows) for each in found):
            self.builder.problem(
                "unlimited windows never close: suppress(until_window_closes()) would never give a result", origin
            )
        return max(each.closes_ms for each in found), max(each.open_ms for each in found)


def _windows_above(node: Node) -> list[WindowAggregate | None]:
    """The nearest windowed aggregation on each way up from `node`; None for a way that has none."""
    if isinstance(node, WindowAggregate):
        return [node]
    if not node.parents:
        return [None]
    return [found for parent in node.parents for found in _windows_above(parent)]
