"""How a worker becomes a member of its application's group."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Callable, Collection

from streams.errors import StreamsError
from streams.plan.plan import PartitionPlan
from streams.plan.task_id import TaskId
from streams.runtime.log_ends import LogEnds
from streams.runtime.membership import AssignmentRules, GroupMembership, MemberOptions, Membership, TaskUniverse
from streams.runtime.options import WorkerOptions
from streams.wire.address import parse_addresses
from streams.wire.client import Client
from streams.wire.security import Security

log = logging.getLogger(__name__)

MakeMembership = Callable[[PartitionPlan, WorkerOptions, str | None, LogEnds], Membership]
"""Given the plan, the options, the query endpoint and whom to ask for ends of topics, joins nothing yet."""

ANSWER_WAIT_S = 5.0


def group_membership(plan: PartitionPlan, options: WorkerOptions, endpoint: str | None, ends: LogEnds) -> Membership:
    """A member of the application's consumer group, not started yet. `ends`: asked how long changelogs are.

    Raises:
        ConfigError: an address or a security setting is malformed.
    """
    client = Client(
        bootstrap=parse_addresses(options.bootstrap_servers),
        client_id=f"{options.application_id}-{socket.gethostname()}-member",
        security=Security.from_client_config(options.client_config),
    )
    member = MemberOptions(
        group_id=options.application_id,
        topics=tuple(dict.fromkeys(source.topic for sub in plan.plan.subtopologies for source in sub.sources)),
        instance_id=options.instance_id,
        process_id=str(os.getpid()),
        host=socket.gethostname(),
        state_dir=str(options.application_dir.resolve()),
        endpoint=endpoint,
        tags=options.client_tags,
        session_timeout_ms=options.session_timeout_ms,
        heartbeat_interval_ms=options.heartbeat_interval_ms,
        rules=AssignmentRules(
            standby_replicas=options.num_standby_replicas,
            acceptable_lag=options.acceptable_recovery_lag,
            warmup_replicas=options.max_warmup_replicas,
            spread_tags=options.rack_aware_assignment_tags,
        ),
        rebalance_timeout_ms=options.rebalance_timeout_ms,
    )
    return GroupMembership(client, member, lambda: task_universe(plan, ends), commit_timeout_s=options.stop_timeout_s)


def task_universe(plan: PartitionPlan, ends: LogEnds) -> TaskUniverse:
    """All tasks of the plan as the leader of the group assigns them."""
    stateful = {sub.index for sub in plan.plan.subtopologies if any(s.changelog or s.source for s in sub.stores)}
    tasks = frozenset(task for task in plan.tasks if task.subtopology in stateful)
    return TaskUniverse(
        inputs={task: plan.inputs(task) for task in plan.tasks}, stateful=tasks, backlog=backlogs(plan, tasks, ends)
    )


def backlogs(plan: PartitionPlan, tasks: Collection[TaskId], ends: LogEnds) -> dict[TaskId, int]:
    """How many records each of these tasks is restored from where it has no state; empty if the broker does not say."""
    logs = {sub.index: [s.changelog for s in sub.stores if s.changelog] for sub in plan.plan.subtopologies}
    sources = {sub.index: {s.source for s in sub.stores if s.source} for sub in plan.plan.subtopologies}
    places = {
        task: [(topic, task.partition) for topic in logs[task.subtopology]]
        + [place for place in plan.inputs(task) if place[0] in sources[task.subtopology]]
        for task in tasks
    }
    try:
        found = ends.request({place for of_task in places.values() for place in of_task}).result(ANSWER_WAIT_S)
    except StreamsError as error:
        log.info("changelogs_unknown: %s; tasks move only where their state is", error)
        return {}
    return {task: sum(found[place] for place in of_task) for task, of_task in places.items()}
