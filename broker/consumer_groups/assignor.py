"""What server-side assignors are given and give."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias
from uuid import UUID

from broker.consumer_groups.partitions import Partitions


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberToAssign:
    """One member. `topics` are ids of topics that are there."""

    member_id: str
    instance_id: str | None
    topics: frozenset[UUID]
    target: Partitions
    """What it was to own until now: an assignor that is sticky leaves it as much of that as it can."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignmentTask:
    """All members, and all topics that any of them reads."""

    members: tuple[MemberToAssign, ...]
    partitions: Mapping[UUID, int]
    """Topic id → number of partitions, in order of the topics' names."""

    @property
    def homogeneous(self) -> bool:
        """Every member reads the same topics."""
        return len({member.topics for member in self.members}) <= 1


Assignor: TypeAlias = Callable[[AssignmentTask], dict[str, Partitions]]
"""Gives every member a line; every partition that somebody reads has one owner, who reads its topic."""
