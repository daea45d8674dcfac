"""Every API that is served can be answered with an error, in every version."""

from __future__ import annotations

from dataclasses import MISSING, fields
from datetime import timedelta
from typing import Any, get_args
from uuid import UUID

import pytest
from kio.index import load_request_schema, load_response_schema
from kio.schema.errors import ErrorCode
from kio.serial import entity_reader

from broker.faults.error_answer import error_answer
from broker.handlers.response import nested_entity
from broker.protocol.advertised import ADVERTISED
from broker.protocol.api_keys import ApiKey
from broker.protocol.entities import VersionedEntities
from broker.watch.answer_errors import errors_in_entity, errors_in_fetch, errors_in_produce

FLEXIBLE_FROM = {ApiKey.PRODUCE: 9, ApiKey.FETCH: 12}
CASES = [
    pytest.param(key, version, id=f"{key.name}-{version}")
    for key, (low, high) in ADVERTISED.items()
    for version in range(max(low, 3) if key == ApiKey.PRODUCE else low, high + 1)
]

SCALARS = ((bool, True), (int, 3), (str, "x"), (bytes, b"x"), (timedelta, timedelta(0)), (UUID, UUID(int=5)))


def example(kind: type) -> Any:
    """A request with one item in each of its arrays."""
    values: dict[str, Any] = {}
    for field in fields(kind):
        nested, many = nested_entity(field.type)
        if nested is not None:
            values[field.name] = (example(nested),) if many else example(nested)
        elif "tuple" in str(field.type):
            values[field.name] = (scalar(get_args(field.type)[0]),)
        elif field.default is MISSING or field.name == "topic_id":
            values[field.name] = scalar(field.type)
    return kind(**values)


def scalar(kind: Any) -> Any:
    options = [option for option in get_args(kind) if option is not type(None)] or [kind]
    for types, value in (
        (bool, True),
        (int, 3),
        (str, "x"),
        (bytes, b"x"),
        (timedelta, timedelta(0)),
        (UUID, UUID(int=5)),
    ):
        if issubclass(options[0], types):
            return value
    return ()


@pytest.mark.parametrize(("key", "version"), CASES)
def test_error_answer_of_any_request_says_the_error_on_the_wire(key: ApiKey, version: int) -> None:
    request = example(load_request_schema(key, version))
    entities = VersionedEntities(key, version)
    encoded = entities.encode(error_answer(key, request, ErrorCode.policy_violation))
    answer, _ = entity_reader(load_response_schema(key, version))(memoryview(encoded).toreadonly(), 0)
    expected = [ErrorCode.policy_violation.value]
    assert list(errors_in_entity(answer)) == expected
    if key in FLEXIBLE_FROM:
        errors = errors_in_produce if key == ApiKey.PRODUCE else errors_in_fetch
        assert list(errors([encoded], version, version >= FLEXIBLE_FROM[key])) == expected


def test_error_answer_names_what_was_asked_about() -> None:
    request = example(load_request_schema(ApiKey.PRODUCE, 13))
    (topic,) = error_answer(ApiKey.PRODUCE, request, ErrorCode.not_leader_or_follower).responses
    assert topic.topic_id == UUID(int=5)
    assert [(one.index, one.error_code) for one in topic.partition_responses] == [(3, ErrorCode.not_leader_or_follower)]


def test_error_answer_of_a_group_says_it_at_the_top_alone() -> None:
    request = example(load_request_schema(ApiKey.LEAVE_GROUP, 5))
    answer = error_answer(ApiKey.LEAVE_GROUP, request, ErrorCode.not_coordinator)
    assert (answer.error_code, answer.members) == (ErrorCode.not_coordinator, ())
