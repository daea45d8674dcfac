"""Where a group member stands; the transitions are drawn in `member`."""

from __future__ import annotations

import enum


class State(enum.Enum):
    LOCATING = "locating"
    JOINING = "joining"
    ASSIGNING = "assigning"
    SYNCING = "syncing"
    STABLE = "stable"
    LEAVING = "leaving"
    ENDED = "ended"
