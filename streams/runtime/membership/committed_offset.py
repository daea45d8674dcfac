"""A position in a partition as a group keeps it."""

from __future__ import annotations

from msgspec import Struct


class CommittedOffset(Struct, frozen=True):
    """The offset of the next record to process, text of up to 4,096 bytes kept with it, and the leader epoch of the
    last processed record (-1: not known)."""

    offset: int
    metadata: str = ""
    leader_epoch: int = -1
