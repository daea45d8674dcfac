"""One broker for all tests of this folder; every test has a group of its own."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from confluent_kafka.admin import AdminClient, NewTopic

from broker.options import BrokerOptions
from streams.runtime.membership import GroupMembership, MemberOptions, MembershipEvent, TaskUniverse
from streams.wire import Client, parse_addresses
from tests.cluster import any_cluster
from tests.streams.membership.universes import universe

DEADLINE_S = 60.0


@pytest.fixture(scope="session")
def bootstrap_servers() -> Iterator[str]:
    with any_cluster(BrokerOptions(group_min_session_timeout_ms=500)) as servers:
        admin = AdminClient({"bootstrap.servers": servers})
        existing = admin.list_topics(timeout=10).topics
        wanted = [topic for topic in (NewTopic("topic-0", 12), NewTopic("other", 1)) if topic.topic not in existing]
        for created in admin.create_topics(wanted).values() if wanted else ():
            created.result(10)
        yield servers


@pytest.fixture
def client(bootstrap_servers: str) -> Client:
    return Client(bootstrap=parse_addresses(bootstrap_servers), client_id="test")


@pytest.fixture
def group_id() -> str:
    return f"group-{uuid.uuid4().hex[:8]}"


def wait_for(condition: Callable[[], Any]) -> Any:
    """What `condition` returns once it is true."""
    deadline = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline:
        if result := condition():
            return result
        time.sleep(0.005)
    raise AssertionError("not within the deadline")


class Listener:
    """A membership and everything it has said."""

    def __init__(self, membership: GroupMembership) -> None:
        self.membership = membership
        self.events: list[MembershipEvent] = []

    def heard(self, kind: type[MembershipEvent] | type[Any]) -> list[Any]:
        self.events += self.membership.poll()
        return [event for event in self.events if isinstance(event, kind)]


@pytest.fixture
def join(client: Client, group_id: str) -> Iterator[Callable[..., Listener]]:
    """Starts a member of the test's group; stops what is left of them at the end."""
    listeners: list[Listener] = []

    def start(
        tasks: Callable[[], TaskUniverse] = lambda: universe(4), *, to: Client | None = None, **options: Any
    ) -> Listener:
        defaults: dict[str, Any] = {
            "group_id": group_id,
            "topics": ("topic-0",),
            "session_timeout_ms": 3_000,
            "heartbeat_interval_ms": 50,
            "moving_heartbeat_interval_ms": 20,
            "rebalance_timeout_ms": 5_000,
        }
        membership = GroupMembership(
            to or client, MemberOptions(**(defaults | options)), tasks, commit_timeout_s=DEADLINE_S
        )
        membership.start()
        listeners.append(Listener(membership))
        return listeners[-1]

    yield start
    for listener in listeners:
        listener.membership.stop(leave=False)
