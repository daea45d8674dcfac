"""What the listener hears of standbys: that one begins, takes in records, ends.

Source: `StandbyUpdateListener` (KIP-988).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from streams.runtime.changelog_stretch import Stretch
from streams.runtime.listener import StandbyEnd, StandbyUpdate, WorkerListener
from streams.runtime.router import Place


class StandbyUpdates:
    """Owned by the stream thread. `end_of`: where a changelog ends, None where that is not known."""

    def __init__(self, listener: WorkerListener, end_of: Callable[[Place], int | None]) -> None:
        self._listener = listener
        self._end_of = end_of

    def start(self, stretches: Iterable[Stretch]) -> None:
        for stretch in stretches:
            if stretch.store is not None:
                self._listener.on_standby_start(self._update(stretch, stretch.store))

    def batch(self, stretch: Stretch, records: int) -> None:
        if stretch.store is not None:
            self._listener.on_standby_batch(self._update(stretch, stretch.store), records)

    def end(self, stretches: Iterable[Stretch], reason: StandbyEnd) -> None:
        for stretch in stretches:
            if stretch.store is not None:
                self._listener.on_standby_end(self._update(stretch, stretch.store), reason)

    def _update(self, stretch: Stretch, store: str) -> StandbyUpdate:
        topic, partition = stretch.place
        end = stretch.until if stretch.is_input else self._end_of(stretch.place)
        return StandbyUpdate(
            task=stretch.replica.id,
            store=store,
            topic=topic,
            partition=partition,
            position=stretch.position,
            end_offset=None if end is None else max(end, stretch.position),
        )
