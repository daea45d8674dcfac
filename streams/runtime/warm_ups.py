"""When a worker asks for the rebalance that moves tasks to it: as soon as its warm-up replicas have caught up, or, if
some take longer, a moment after the first has.

Kafka Streams finds out by probing rebalances alone, every `probing.rebalance.interval.ms` (KIP-441). Here they are only
what is left if the leader did not agree.
"""

from __future__ import annotations

from collections.abc import Callable

from streams.runtime.membership import Membership
from streams.runtime.standbys import Standbys

GATHER_S = 1.0
"""So long others are waited for: each rebalance costs a little."""


class WarmUps:
    """Owned by the stream thread. `clock` is monotonic, in s."""

    def __init__(
        self, membership: Membership, standbys: Standbys, *, probing_interval_s: float, clock: Callable[[], float]
    ) -> None:
        self._membership = membership
        self._standbys = standbys
        self._interval_s = probing_interval_s
        self._clock = clock
        self._asked = False
        self._first_at: float | None = None
        self._probe_at = 0.0

    def assigned(self) -> None:
        """There is a new assignment."""
        self._asked, self._first_at = False, None
        self._probe_at = self._clock() + self._interval_s

    def look(self) -> None:
        """Asks for a rebalance, if it is time; once for each assignment."""
        if not self._standbys.warming:
            return
        now = self._clock()
        if not self._asked and (warm := self._standbys.warmed_up()):
            self._first_at = now if self._first_at is None else self._first_at
            if len(warm) == len(self._standbys.warming) or now >= self._first_at + GATHER_S:
                self._asked = True
                self._membership.rebalance(f"warm-up replicas have caught up: {' '.join(map(str, warm))}")
        elif now >= self._probe_at:
            self._probe_at = now + self._interval_s
            self._membership.rebalance("probing whether warm-up replicas have caught up")
