"""Every API in every version: with the rights it needs it goes through, without any one of them it is refused."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any, cast
from uuid import UUID

import pytest
from kio.schema.errors import ErrorCode

from broker.groups.requests import MemberIdentity
from broker.handlers.permissions import FREE, PERMISSIONS
from broker.offsets.committed_offset import CommittedOffset
from broker.protocol.advertised import ADVERTISED
from broker.protocol.api_keys import ApiKey
from broker.security.refusal import CODES
from broker.state import BrokerState
from tests.broker.security.guarded_broker import GuardedBroker, Right
from tests.broker.security.permission_case import GROUP, NEW_TOPIC, TOPIC, TOPIC_ID, Case
from tests.broker.security.permission_cases import CASES, UNREFUSED

SERVED = [case for case in CASES if case.key in ADVERTISED]
REFUSALS = frozenset(CODES.values())


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GuardedBroker]:
    with GuardedBroker(tmp_path_factory.mktemp("data")) as broker:
        yield broker


def test_permissions_of_every_served_api_have_cases() -> None:
    """What an API says it needs is tried; a new handler fails here until it has a case."""
    tried = {(case.key, right.operation, right.resource_type) for case in CASES for right in case.rights}
    declared = {
        (key, operation, need.resource_type)
        for key in ADVERTISED
        for need in PERMISSIONS[key].whole + PERMISSIONS[key].items
        for operation in (need.operation, need.alternative)
        if operation is not None
    }
    assert declared - tried - UNREFUSED.keys() == set()
    assert {key for key in ADVERTISED if PERMISSIONS[key] == FREE} <= {
        ApiKey.API_VERSIONS,
        ApiKey.SASL_HANDSHAKE,
        ApiKey.SASL_AUTHENTICATE,
    }


def test_cases_need_only_what_their_api_says() -> None:
    """The table of permissions tells the whole truth."""
    declared = {
        (key, operation, need.resource_type)
        for key, permissions in PERMISSIONS.items()
        for need in permissions.whole + permissions.items
        for operation in (need.operation, need.alternative)
    }
    tried = {(case.key, right.operation, right.resource_type) for case in CASES for right in case.rights}
    assert tried - declared == set()


@pytest.mark.parametrize("case", SERVED, ids=str)
def test_request_with_all_rights_is_not_refused(guarded: GuardedBroker, case: Case) -> None:
    for version in versions(case):
        codes = ask(guarded, case, version, case.rights)
        assert REFUSALS.isdisjoint(codes), version


@pytest.mark.parametrize(
    ("case", "missing"), [(case, right) for case in SERVED for right in case.rights], ids=lambda one: str(one)
)
def test_request_without_one_right_is_refused(guarded: GuardedBroker, case: Case, missing: Right) -> None:
    """Where it is an item's right, the code is at the item; nothing else is told of it."""
    expected = case.codes.get(missing, CODES[missing.resource_type])
    for version in versions(case):
        codes = ask(guarded, case, version, [right for right in case.rights if right != missing])
        assert codes & REFUSALS == {expected}, version


@pytest.mark.parametrize("case", SERVED, ids=str)
def test_refused_request_changes_nothing(guarded: GuardedBroker, case: Case) -> None:
    """Topics, records, groups, transactions and entries are as they were."""
    for version in versions(case):
        guarded.wait(prepare(guarded.state))
        before = guarded.call(footprint, guarded)
        ask(guarded, case, version, ())
        assert guarded.call(footprint, guarded) == before, version


def versions(case: Case) -> range:
    low, high = ADVERTISED[case.key]
    if case.key is ApiKey.PRODUCE:
        low = 3  # those below are advertised for librdkafka's sake only
    return range(max(low, case.versions[0]), min(high, case.versions[1]) + 1)


def ask(guarded: GuardedBroker, case: Case, version: int, rights: Any) -> set[ErrorCode]:
    """All error codes of the answer, wherever they stand in it."""
    topic_id = guarded.wait(prepare(guarded.state))
    guarded.allow_only(rights)
    with guarded.client() as client:
        answer = client.ask(case.key, version, **with_id(case.values, topic_id))
    return set(error_codes(answer))


async def prepare(state: BrokerState) -> UUID:
    """Topic t is there, topic new is not, group g has no members but an offset; the id of t."""
    for group_id, members in all_members(state).items():
        state.groups.leave(group_id, [MemberIdentity(member.member_id) for member in members])
    if state.topics.get(NEW_TOPIC) is not None:
        state.delete_topic(NEW_TOPIC)
    topic = state.topics.get(TOPIC) or state.create_topic(TOPIC)
    if state.groups.offsets.get(GROUP, (TOPIC, 0)) is None:
        committed = CommittedOffset(offset=0, leader_epoch=-1, metadata="", commit_timestamp_ms=state.clock())
        await state.groups.commit(GROUP, {(TOPIC, 0): committed})
    return topic.id


def all_members(state: BrokerState) -> dict[str, tuple[Any, ...]]:
    """By group, whichever protocol it has."""
    groups = state.groups
    found: dict[str, tuple[Any, ...]] = {}
    for listing in groups.list_all():
        group = groups.describe(listing.group_id) or groups.describe_consumer(listing.group_id)
        found[listing.group_id] = () if group is None else group.members
    return found


def footprint(guarded: GuardedBroker) -> Any:
    state = guarded.state
    return (
        [(topic.name, topic.partitions, dict(topic.configs)) for topic in state.topics if not topic.internal],
        [log.end_offset for log in state.logs if not log.internal],
        all_members(state),
        state.groups.offsets.get(GROUP, (TOPIC, 0)),
        dict(state.transactions.transactions),
    )


def with_id(value: Any, topic_id: Any) -> Any:
    """The tree with the real id of topic t."""
    if isinstance(value, dict):
        return {name: with_id(item, topic_id) for name, item in cast(dict[str, Any], value).items()}
    if isinstance(value, list):
        return [with_id(item, topic_id) for item in cast(list[Any], value)]
    return topic_id if value == TOPIC_ID else value


def error_codes(entity: Any) -> Iterator[ErrorCode]:
    if isinstance(entity, tuple):
        for item in cast(tuple[Any, ...], entity):
            yield from error_codes(item)
    elif is_dataclass(entity):
        for field in fields(entity):
            value = getattr(entity, field.name)
            if field.name.endswith("error_code"):
                yield ErrorCode(value)
            else:
                yield from error_codes(value)
