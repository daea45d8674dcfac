"""What is asked of a consumer group and what it answers, apart from the wire."""

from __future__ import annotations

from dataclasses import dataclass

from kio.schema.errors import ErrorCode

from broker.consumer_groups.partitions import Partitions


@dataclass(frozen=True, slots=True, kw_only=True)
class HeartbeatRequest:
    """ConsumerGroupHeartbeat. What is None, and a rebalance timeout of -1, is as the member said it last."""

    version: int
    group_id: str
    member_id: str
    new_member_id: str
    """For one who joins without an id (v0)."""
    member_epoch: int
    client_id: str
    client_host: str
    principal: str = ""
    """As in `Profile`."""
    instance_id: str | None = None
    rack_id: str | None = None
    rebalance_timeout_ms: int = -1
    topics: frozenset[str] | None = None
    regex: str | None = None
    assignor: str | None = None
    owned: Partitions | None = None

    @property
    def full(self) -> bool:
        """It says everything, so it is told everything: it joins, or does not know if its last heartbeat arrived."""
        subscribes = self.topics is not None or self.regex is not None
        return self.member_epoch == 0 or (self.rebalance_timeout_ms != -1 and subscribes and self.owned is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeartbeatResult:
    """`assigned` None: as it was told last."""

    error: ErrorCode = ErrorCode.none
    message: str | None = None
    member_id: str | None = None
    member_epoch: int = 0
    heartbeat_interval_ms: int = 0
    assigned: Partitions | None = None


class GroupRefusedError(Exception):
    """A request that a group refuses: the protocol's error code and a message fit for the client."""

    def __init__(self, code: ErrorCode, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
