"""Which tasks a member has, and which it is getting rid of.

    (not here) ──Assigned──► held ──Revoked──► leaving ──released──► (not here)
                                                  └── assigned again meanwhile: held once it is released

`held` and `leaving` are what a member claims when it joins: nobody else may start them. Standbys are no such claim.
"""

from __future__ import annotations

from streams.plan.task_id import TaskId
from streams.runtime.membership.events import Assigned, Lost, MembershipEvent, Revoked
from streams.runtime.membership.user_data import Assignment

NO_TASKS: frozenset[TaskId] = frozenset()


class Holding:
    """`leaving` has with each task the number of the `Revoked` that named it."""

    def __init__(self) -> None:
        self.held: frozenset[TaskId] = NO_TASKS
        self.leaving: dict[TaskId, int] = {}
        self._assignment: Assignment | None = None
        self._generation = -1
        self._revocations = 0

    @property
    def moving(self) -> bool:
        """Whether the last assignment left tasks for another round to hand over."""
        return self._assignment is not None and self._assignment.moving

    @property
    def standbys(self) -> frozenset[TaskId]:
        """The tasks whose state is kept up to date here."""
        return NO_TASKS if self._assignment is None else self._assignment.standbys

    @property
    def handed_over(self) -> bool:
        """Whether others wait for tasks that were withdrawn here, and all of them are free by now."""
        return self._assignment is not None and bool(self._assignment.withdrawn) and not self.leaving

    def take(self, assignment: Assignment, generation: int) -> list[MembershipEvent]:
        """What the worker must be told of a new assignment."""
        self._assignment = assignment
        self._generation = generation
        revoked = self.held - assignment.tasks
        if not revoked:
            return [self._hold()]
        self._revocations += 1
        self.leaving |= dict.fromkeys(revoked, self._revocations)
        return [Revoked(revoked, revoked & assignment.standbys), self._hold()]

    def release(self, tasks: frozenset[TaskId], revocation: int) -> None:
        """`tasks` are closed, as far as they were revoked by the `revocation`th `Revoked` or before."""
        self.leaving = {
            task: number for task, number in self.leaving.items() if task not in tasks or number > revocation
        }

    def given_back(self) -> list[MembershipEvent]:
        """What the worker must be told after a release: tasks may have been assigned again in the meantime."""
        if self._assignment is None or self.leaving or self._assignment.tasks == self.held:
            return []
        return [self._hold()]

    def lose(self, reason: str) -> list[MembershipEvent]:
        """Forgets everything; nothing to tell if there never was an assignment."""
        had = self._assignment is not None
        self.held = NO_TASKS
        self.leaving = {}
        self._assignment = None
        return [Lost(reason)] if had else []

    def _hold(self) -> Assigned:
        assert self._assignment is not None, "only an assignment gives tasks"
        self.held = self._assignment.tasks.difference(self.leaving)
        standbys = self._assignment.standbys - self.held
        return Assigned(self.held, self._generation, standbys, self._assignment.warming & standbys)
