"""Who a member is to its group's coordinator at some moment."""

from __future__ import annotations

from msgspec import Struct


class Identity(Struct, frozen=True):
    """`member_id` is empty and `generation` -1 before the member has joined.

    `admission` counts the times it was `Lost`: as long as it stays the same, the tasks held have been this member's
    without a gap. `generation_known`: false while it waits to hear of the next
    generation, which the coordinator may have begun already. `settled`: no rebalance is under way at all, which is what
    the coordinator asks of offsets outside of transactions.
    """

    member_id: str = ""
    generation: int = -1
    admission: int = 0
    generation_known: bool = False
    settled: bool = False
