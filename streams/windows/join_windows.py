"""Windows of stream-stream joins: how far apart in time two records may lie and still meet."""

from __future__ import annotations

from datetime import timedelta

from msgspec import Struct

from streams.windows.duration import grace_in_ms, whole_ms


class JoinWindows(Struct, frozen=True, kw_only=True):
    """A left record at t meets right records in [t - before_ms, t + after_ms], both ends inclusive; made by
    `join_window`. One of the two may be negative: then the right records lie wholly after or before the left one.

    Source: `org.apache.kafka.streams.kstream.JoinWindows`.
    """

    before_ms: int
    after_ms: int
    grace_ms: int

    @property
    def size_ms(self) -> int:
        return self.before_ms + self.after_ms

    @property
    def retention_ms(self) -> int:
        """How long a record is kept for others to meet it, behind the newest of its side."""
        return self.size_ms + self.grace_ms

    def reach_ms(self, *, right: bool) -> int:
        """How much later than a record of that side the last one may be that meets it; negative: all are earlier."""
        return self.before_ms if right else self.after_ms


def join_window(before: timedelta, after: timedelta | None = None, *, grace: timedelta) -> JoinWindows:
    """How far right records may lie `before` and `after` a left record that they meet, both ends inclusive.

    Args:
        before: right records may be so much older than the left one.
        after: right records may be so much newer; None: as much as `before`. Either may be negative, together they
            must not.
        grace: how much longer a record waits for one that comes late, until a left or outer join says that nothing
            met it.

    Source: `JoinWindows.ofTimeDifferenceAndGrace`, `before`, `after`; `ofTimeDifferenceWithNoGrace` is
    `grace=timedelta(0)`.

    Raises:
        ValueError: a duration is not whole ms, the window would be empty, or grace is negative.
    """
    before_ms = whole_ms("before", before)
    after_ms = before_ms if after is None else whole_ms("after", after)
    if before_ms + after_ms < 0:
        together = "before" if after is None else f"before and after together, {before} and {after},"
        raise ValueError(f"{together} must not be negative: no two records could meet")
    return JoinWindows(before_ms=before_ms, after_ms=after_ms, grace_ms=grace_in_ms(grace))
