"""What a group member is told before it joins."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field

from streams.runtime.membership.rules import AssignmentRules

PROTOCOL_TYPE = "consumer"
"""So that Kafka's tools understand our messages; see `user_data`."""
PROTOCOL = "headrace"
"""The assignor's name: plain consumers do not have it, so they and workers cannot end up in one group."""


class MemberOptions(Struct, frozen=True, kw_only=True):
    """Durations in milliseconds.

    `instance_id` makes the member static: its place outlives the process until the session times out. `topics` are all
    topics the application reads, repartition topics included. `process_id` tells processes apart in logs; `host` and
    `state_dir` together say whose local state a process can open; `endpoint` ("host:port") is where it answers queries.
    `tags` say where it runs. `rules` count when this member leads.
    """

    group_id: str
    topics: tuple[str, ...]
    instance_id: str | None = None
    process_id: str = ""
    host: str = ""
    state_dir: str = ""
    endpoint: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict[str, str])
    rules: AssignmentRules = field(default_factory=AssignmentRules)
    session_timeout_ms: int = 45_000
    """A member that is not heard of for so long is dropped, and others take its tasks."""
    heartbeat_interval_ms: int = 3_000
    """Also how long it takes a member to notice that the group moves on."""
    moving_heartbeat_interval_ms: int = 100
    """The same while tasks change hands, when the group is known to move on again soon."""
    rebalance_timeout_ms: int = 60_000
    """How long the group waits for its members to join the next generation."""
    request_timeout_ms: int = 10_000
    """How long an answer may take that nothing holds up; a reconnect follows."""
    backoff_ms: int = 50
    """The first pause after a failure; it doubles with each."""
    backoff_max_ms: int = 1_000
