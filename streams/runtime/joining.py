"""How a worker becomes a member of its application's group."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable

from streams.plan.plan import PartitionPlan
from streams.runtime.membership import GroupMembership, MemberOptions, Membership, TaskUniverse
from streams.runtime.options import WorkerOptions
from streams.wire.address import parse_addresses
from streams.wire.client import Client
from streams.wire.security import Security

MakeMembership = Callable[[PartitionPlan, WorkerOptions, str | None], Membership]
"""Given the plan, the options and the query endpoint, joins nothing yet."""


def group_membership(plan: PartitionPlan, options: WorkerOptions, endpoint: str | None) -> Membership:
    """A member of the application's consumer group, not started yet.

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
        session_timeout_ms=options.session_timeout_ms,
        heartbeat_interval_ms=options.heartbeat_interval_ms,
        rebalance_timeout_ms=options.rebalance_timeout_ms,
    )
    return GroupMembership(client, member, lambda: task_universe(plan), commit_timeout_s=options.stop_timeout_s)


def task_universe(plan: PartitionPlan) -> TaskUniverse:
    """All tasks of the plan as the leader of the group assigns them."""
    stateful = {sub.index for sub in plan.plan.subtopologies if sub.stores}
    return TaskUniverse(
        inputs={task: plan.inputs(task) for task in plan.tasks},
        stateful=frozenset(task for task in plan.tasks if task.subtopology in stateful),
    )
