"""A membership without a group, for tests: all tasks are this worker's, offsets live in memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence

from streams.errors import ApplicationShutdownError, StreamsError
from streams.plan.task_id import TaskId
from streams.runtime.membership.committed_offset import CommittedOffset
from streams.runtime.membership.errors import CommitFailedError, MembershipError
from streams.runtime.membership.events import Assigned, Failed, Lost, MembershipEvent, Revoked
from streams.runtime.membership.group_metadata import encode_group_metadata
from streams.runtime.membership.member_view import MemberView
from streams.runtime.membership.universe import TaskUniverse

MEMBER_ID = "solo"


class SoloMembership:
    """The in-memory twin of `GroupMembership`; same calls, nothing in the background.

    A test can play the rest of the group: `revoke` and `assign` move tasks away and back, `lose` expels the worker,
    `fail_commits` has the next commits fail. `offsets` is what has been committed; pass it on to a successor.
    `wanted_rebalances` are the reasons the worker gave.
    """

    def __init__(
        self,
        universe: Callable[[], TaskUniverse],
        *,
        group_id: str = "solo",
        endpoint: str | None = None,
        offsets: dict[tuple[str, int], CommittedOffset] | None = None,
    ) -> None:
        self.offsets: dict[tuple[str, int], CommittedOffset] = {} if offsets is None else offsets
        self.lags: Mapping[TaskId, int] = {}
        self.tasks: frozenset[TaskId] = frozenset()
        self.standbys: frozenset[TaskId] = frozenset()
        self.wanted_rebalances: list[str] = []
        self.unreachable_since: int | None = None
        self._universe = universe
        self._group_id = group_id
        self._endpoint = endpoint
        self._generation = 0
        self._leaving: frozenset[TaskId] = frozenset()
        self._given: frozenset[TaskId] = frozenset()
        self._commit_errors: deque[CommitFailedError] = deque()
        self._events: deque[MembershipEvent] = deque()
        self._joined = False

    def start(self) -> None:
        try:
            tasks = frozenset(self._universe().inputs)
        except StreamsError as error:
            self._events.append(Failed(error))
        except Exception as error:
            failure = MembershipError(f"cannot assign tasks ({type(error).__name__}: {error})")
            failure.__cause__ = error
            self._events.append(Failed(failure))
        else:
            self._joined = True
            self.assign(tasks)

    def poll(self) -> Sequence[MembershipEvent]:
        events = tuple(self._events)
        self._events.clear()
        return events

    def released(self, tasks: frozenset[TaskId]) -> None:
        self._leaving -= tasks
        if self._given - self._leaving != self.tasks:
            self.assign(self._given)

    def commit(self, offsets: Mapping[tuple[str, int], CommittedOffset]) -> None:
        if self._commit_errors:
            raise self._commit_errors.popleft()
        if not self._joined:
            raise CommitFailedError("cannot commit offsets: not a member of the group", fenced=True)
        self.offsets.update(offsets)

    def committed(self, partitions: Collection[tuple[str, int]]) -> dict[tuple[str, int], CommittedOffset | None]:
        return {partition: self.offsets.get(partition) for partition in partitions}

    def members(self) -> Sequence[MemberView]:
        if self._generation == 0:
            return ()
        return (MemberView(member_id=MEMBER_ID, tasks=self.tasks, standbys=self.standbys, endpoint=self._endpoint),)

    def report(self, task_lags: Mapping[TaskId, int]) -> None:
        self.lags = dict(task_lags)

    def end_application(self, reason: str) -> None:
        self._joined = False
        self._events.append(Failed(ApplicationShutdownError(reason)))

    def rebalance(self, reason: str) -> None:
        self.wanted_rebalances.append(reason)

    def group_metadata(self) -> bytes:
        return encode_group_metadata(
            group_id=self._group_id, generation=self._generation, member_id=MEMBER_ID, instance_id=None
        )

    @property
    def generation_known(self) -> bool:
        return self._joined

    @property
    def place_held(self) -> bool:
        return self._joined

    def stop(self, *, leave: bool) -> None:
        del leave  # there is nobody to tell
        self._joined = False

    # -- the rest of the group ----------------------------------------------------------------------------------------

    def assign(
        self, tasks: Collection[TaskId], standbys: Collection[TaskId] = (), warming: Collection[TaskId] = ()
    ) -> None:
        """A new generation gives this worker `tasks`; those still being revoked follow when they are released."""
        self._given = frozenset(tasks)
        self.standbys = frozenset(standbys)
        self._generation += 1
        gone = self.tasks - self._given
        if gone:
            self._leaving |= gone
            self._events.append(Revoked(gone, gone & self.standbys))
        self.tasks = self._given - self._leaving
        self._events.append(Assigned(self.tasks, self._generation, self.standbys, frozenset(warming)))

    def revoke(self, tasks: Collection[TaskId]) -> None:
        """A new generation takes `tasks` away."""
        self.assign(self.tasks - frozenset(tasks))

    def lose(self, reason: str = "the test says so") -> None:
        """The group expels this worker; give it tasks again with `assign`."""
        self.tasks = self._leaving = self._given = self.standbys = frozenset()
        self._events.append(Lost(reason))

    def fail_commits(self, *errors: CommitFailedError) -> None:
        """The next commits raise these, one each."""
        self._commit_errors.extend(errors)
