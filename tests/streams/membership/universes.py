"""Task universes and candidates for tests, and hypothesis strategies of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from hypothesis import strategies as st

from streams.plan.task_id import TaskId
from streams.runtime.membership.place import Candidate
from streams.runtime.membership.universe import TaskUniverse
from streams.runtime.membership.user_data import Subscription


def universe(*sizes: int, stateful: Iterable[int] = (), backlog: int | None = 0) -> TaskUniverse:
    """A sub-topology of so many partitions for each of `sizes`; those numbered in `stateful` have stores, with so many
    records in their changelogs (None: not known)."""
    tasks = [TaskId(sub, partition) for sub, size in enumerate(sizes) for partition in range(size)]
    return TaskUniverse(
        inputs={task: ((f"topic-{task.subtopology}", task.partition),) for task in tasks},
        stateful=frozenset(task for task in tasks if task.subtopology in frozenset(stateful)),
        backlog={} if backlog is None else dict.fromkeys(tasks, backlog),
    )


def tasks(*names: str) -> frozenset[TaskId]:
    return frozenset(TaskId.parse(name) for name in names)


def candidate(
    member_id: str,
    held: Iterable[TaskId] = (),
    *,
    leaving: Iterable[TaskId] = (),
    lags: dict[TaskId, int] | None = None,
    generation: int = 1,
    host: str | None = None,
    state_dir: str = "state",
    standbys: Iterable[TaskId] = (),
    tags: Mapping[str, str] | None = None,
) -> Candidate:
    return Candidate(
        member_id=member_id,
        subscription=Subscription(
            process_id=member_id,
            host=member_id if host is None else host,
            state_dir=state_dir,
            held=frozenset(held),
            leaving=frozenset(leaving),
            lags=lags or {},
            generation=generation,
            standbys=frozenset(standbys),
            tags=tags or {},
        ),
    )


universes = st.builds(
    lambda sizes, stateful: universe(*sizes, stateful=stateful),
    st.lists(st.integers(0, 12), max_size=6),
    st.sets(st.integers(0, 5)),
)
