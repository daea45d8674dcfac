"""What a group asks its coordinator to do, in order.

An answer that follows a `Persist` in the same list must not leave before the group's record is durable.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from broker.groups.requests import JoinResult, SyncResult
from broker.groups.timer import Timer


@dataclass(frozen=True, slots=True)
class Schedule:
    timer: Timer
    at_ms: int


@dataclass(frozen=True, slots=True)
class Cancel:
    timer: Timer


@dataclass(frozen=True, slots=True)
class JoinAnswer:
    ticket: int
    result: JoinResult


@dataclass(frozen=True, slots=True)
class SyncAnswer:
    ticket: int
    result: SyncResult


@dataclass(frozen=True, slots=True)
class Persist:
    """Write the group's metadata record, as the group is now."""


TimerEffect: TypeAlias = Schedule | Cancel
Effect: TypeAlias = Schedule | Cancel | JoinAnswer | SyncAnswer | Persist
