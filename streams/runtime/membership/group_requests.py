"""The requests of a group member, filled in from its options."""

from __future__ import annotations

from collections.abc import Mapping

from streams.plan.task_id import TaskId
from streams.runtime.membership.holding import Holding
from streams.runtime.membership.options import PROTOCOL, PROTOCOL_TYPE, MemberOptions
from streams.runtime.membership.user_data import Subscription, encode_subscription
from streams.wire.requests.heartbeat import Heartbeat
from streams.wire.requests.join_group import JoinGroup
from streams.wire.requests.leave_group import LeaveGroup
from streams.wire.requests.sync_group import SyncGroup


class GroupRequests:
    """Makes requests; holds nothing but the options."""

    def __init__(self, options: MemberOptions) -> None:
        self.options = options

    def join(
        self,
        member_id: str,
        generation: int,
        holding: Holding,
        lags: Mapping[TaskId, int],
        reason: str | None,
        shutdown: str | None = None,
    ) -> JoinGroup:
        options = self.options
        subscription = Subscription(
            process_id=options.process_id,
            host=options.host,
            state_dir=options.state_dir,
            endpoint=options.endpoint,
            generation=generation,
            held=holding.held,
            leaving=frozenset(holding.leaving),
            lags=lags,
            shutdown=shutdown,
            standbys=holding.standbys,
            tags=options.tags,
        )
        return JoinGroup(
            group_id=options.group_id,
            member_id=member_id,
            instance_id=options.instance_id,
            session_timeout_ms=options.session_timeout_ms,
            rebalance_timeout_ms=options.rebalance_timeout_ms,
            protocol_type=PROTOCOL_TYPE,
            protocol=PROTOCOL,
            metadata=encode_subscription(subscription, options.topics),
            reason=reason,
        )

    def sync(self, member_id: str, generation: int, assignments: Mapping[str, bytes]) -> SyncGroup:
        return SyncGroup(
            group_id=self.options.group_id,
            member_id=member_id,
            instance_id=self.options.instance_id,
            generation=generation,
            protocol_type=PROTOCOL_TYPE,
            protocol=PROTOCOL,
            assignments=assignments,
        )

    def heartbeat(self, member_id: str, generation: int) -> Heartbeat:
        return Heartbeat(
            group_id=self.options.group_id,
            member_id=member_id,
            instance_id=self.options.instance_id,
            generation=generation,
        )

    def leave(self, member_id: str) -> LeaveGroup:
        return LeaveGroup(
            group_id=self.options.group_id,
            member_id=member_id,
            instance_id=self.options.instance_id,
            reason="the worker stops",
        )
