"""Consumer groups (KIP-848) of members that may not see every topic, and those who ask about them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from kio.schema.errors import ErrorCode

from broker.security.operation import AclOperation as Op
from broker.security.principal import Principal
from broker.security.resource import ResourceType
from broker.state import BrokerState
from tests.broker.consumer_groups.member import DESCRIBE, WireMember, settle
from tests.broker.groups.wire import WireClient
from tests.broker.security.guarded_broker import GuardedBroker, Right

NOT_ASKED = -(2**31)
ADMIN = Principal("User", "admin")
GROUP = "readers"
READS = Right(Op.READ, ResourceType.GROUP, GROUP)


def topic(name: str) -> Right:
    return Right(Op.DESCRIBE, ResourceType.TOPIC, name)


@pytest.fixture
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GuardedBroker]:
    with GuardedBroker(tmp_path_factory.mktemp("data"), super_users=(str(ADMIN),)) as broker:
        broker.call(furnish, broker.state)
        yield broker


def furnish(state: BrokerState) -> None:
    for name in ("in-mine", "in-theirs"):
        state.create_topic(name, 2)


def topics_of(guarded: GuardedBroker, member: WireMember) -> set[str]:
    return {guarded.state.topics.ids[topic_id].name for topic_id in member.owned}


def describe(client: WireClient, version: int = 1) -> Any:
    (group,) = client.ask(DESCRIBE, version, group_ids=(GROUP,), include_authorized_operations=True).groups
    return group


@pytest.mark.parametrize("version", [0, 1])
def test_heartbeat_that_names_a_hidden_topic_joins_nothing(guarded: GuardedBroker, version: int) -> None:
    guarded.allow_only([READS, topic("in-mine")])
    with guarded.client() as client:
        member = WireMember(client, GROUP, ["in-mine", "in-theirs"])
        refused = member.ask(version, topic_partitions=[], **member.fields)
        assert (refused.error_code, refused.member_epoch) == (ErrorCode.topic_authorization_failed, 0)
        assert refused.assignment is None
    assert guarded.state.groups.type_of(GROUP) is None


def test_expression_matches_what_its_member_may_describe(guarded: GuardedBroker) -> None:
    """From the next heartbeat after its rights have changed, too."""
    with guarded.client() as client:
        member = WireMember(client, GROUP, [], subscribed_topic_regex="in-.*")
        for shown in ({"in-mine"}, {"in-mine", "in-theirs"}, {"in-theirs"}):
            guarded.allow_only([READS, *map(topic, shown)])
            settle(member)
            assert topics_of(guarded, member) == shown


def test_members_of_one_expression_get_what_each_may_describe(guarded: GuardedBroker) -> None:
    guarded.allow_only([READS, topic("in-mine")])
    with guarded.client() as alices, guarded.client(ADMIN) as admins:
        alice, admin = (WireMember(one, GROUP, [], subscribed_topic_regex="in-.*") for one in (alices, admins))
        settle(alice, admin)
        assert topics_of(guarded, alice) <= {"in-mine"}
        assert "in-theirs" in topics_of(guarded, admin)
        assert alice.count + admin.count == 4


@pytest.mark.parametrize("version", [0, 1])
def test_describe_hides_groups_that_read_hidden_topics(guarded: GuardedBroker, version: int) -> None:
    with guarded.client(ADMIN) as admins, guarded.client() as client:
        settle(WireMember(admins, GROUP, ["in-mine", "in-theirs"]))
        guarded.allow_only([READS, topic("in-mine")])
        hidden = describe(client, version)
        assert (hidden.error_code, hidden.members) == (ErrorCode.topic_authorization_failed, ())
        assert (hidden.group_state, hidden.authorized_operations) == ("", NOT_ASKED)
        guarded.allow_only([READS, topic("in-mine"), topic("in-theirs")])
        shown = describe(client, version)
        assert (shown.error_code, len(shown.members)) == (ErrorCode.none, 1)
        assert shown.authorized_operations == 1 << Op.READ | 1 << Op.DESCRIBE


def test_describe_does_not_tell_whether_a_hidden_group_exists(guarded: GuardedBroker) -> None:
    guarded.allow_only([])
    with guarded.client(ADMIN) as admins, guarded.client() as client:
        missing = describe(client)
        settle(WireMember(admins, GROUP, ["in-mine"]))
        assert describe(client) == missing
        assert missing.error_code is ErrorCode.group_authorization_failed
