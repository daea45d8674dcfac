"""The seam between a worker and the group it belongs to."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from streams.plan.task_id import TaskId
from streams.runtime.membership.committed_offset import CommittedOffset
from streams.runtime.membership.events import MembershipEvent
from streams.runtime.membership.member_view import MemberView


class Membership(Protocol):
    """A worker's place in its group: which tasks are its own, and what it has committed.

    All calls come from the worker's thread. `GroupMembership` is the real one, `SoloMembership` its twin for tests.
    """

    def start(self) -> None:
        """Begins to join; what comes of it is polled."""
        ...

    def poll(self) -> Sequence[MembershipEvent]:
        """What has happened since the last call, oldest first. Never blocks."""
        ...

    def released(self, tasks: frozenset[TaskId]) -> None:
        """The revoked `tasks` are committed and closed, another may open them. Once all are, the member rejoins."""
        ...

    def commit(self, offsets: Mapping[tuple[str, int], CommittedOffset]) -> None:
        """Commits the offsets of (topic, partition) pairs; returns when they are kept, retries what can be retried.

        Raises:
            CommitFailedError
        """
        ...

    def committed(self, partitions: Collection[tuple[str, int]]) -> dict[tuple[str, int], CommittedOffset | None]:
        """The committed offset of each of `partitions`, None where there is none. Waits for open transactions.

        Raises:
            CommitFailedError: (never fenced) the offsets could not be read.
        """
        ...

    def members(self) -> Sequence[MemberView]:
        """All members of the group as of the last assignment this one was given; empty before the first."""
        ...

    def report(self, task_lags: Mapping[TaskId, int]) -> None:
        """How many changelog records this process's local state of each task is behind. Told to the group when the
        member joins next; a task's absence means that there is no local state."""
        ...

    def end_application(self, reason: str) -> None:
        """Has all members of the group end, this one too: each gets `Failed` with an `ApplicationShutdownError`."""
        ...

    def rebalance(self, reason: str) -> None:
        """Has the group assign anew: a replica that was to catch up has, or there are other tasks than before."""
        ...

    def group_metadata(self) -> bytes:
        """This member as confluent-kafka's `send_offsets_to_transaction` takes it."""
        ...

    @property
    def generation_known(self) -> bool:
        """False from the request to join the next generation until its answer: a transaction committed then may find
        its generation gone, so wait if you can."""
        ...

    @property
    def place_held(self) -> bool:
        """Whether the tasks that run here cannot be anybody else's yet. False where the group may have given this
        member up without its knowing, because it was silent (stopped, swapped out, cut off) for a session timeout.
        May be asked from any thread."""
        ...

    @property
    def unreachable_since(self) -> int | None:
        """Since when the broker that coordinates the group is out of reach, in ms since the epoch; None while it is
        not. May be asked from any thread."""
        ...

    def stop(self, *, leave: bool) -> None:
        """Ends the membership. `leave`: tell the group, so that others take the tasks over at once; otherwise the
        place is kept for a successor with the same instance id until the session times out."""
        ...
