"""The answer to a request that fails as a whole, of any API and version.

What a request asks about comes back in the answer with the error beside it: at the top where the answer has a place
for it there, else at each group, topic or partition named.

Source: `AbstractRequest.getErrorResponse` of Apache Kafka.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import MISSING, fields, is_dataclass
from datetime import UTC, datetime, timedelta
from types import NoneType
from typing import Any, Final, get_args
from uuid import UUID

from kio.schema.errors import ErrorCode

from broker.handlers.response import nested_entity, response_type
from broker.protocol.api_keys import ApiKey

ERROR_FIELDS: Final = ("error_code", "partition_error_code")
BELOW_THE_TOP: Final = (ApiKey.FETCH, ApiKey.METADATA)
"""Their answers have a code at the top which is about something else: the session, the client's view of the cluster."""
SAME: Final = {
    "partition_index": ("partition_index", "partition", "index"),
    "partition": ("partition", "partition_index"),
    "index": ("index", "partition"),
    "topic": ("topic", "name"),
}
"""Names in the request of what the answer names otherwise."""
NAMES: Final = frozenset(
    (
        *(*SAME, "name", "topic_id", "group_id", "member_id", "group_instance_id", "transactional_id", "key"),
        *("resource_type", "resource_name", "protocol_type"),
    )
)
"""What says whom an error is about; all else in the answer has its default."""
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def error_answer(key: ApiKey, request: Any, code: ErrorCode) -> Any:
    """The response entity of the request's version."""
    entity = response_type(request.__class__)
    asked = list(subjects(request))
    at_top = has_error(entity) and (key not in BELOW_THE_TOP or not asked)
    return build(entity, request, code, here=at_top)


def build(entity: type, subject: Any, code: ErrorCode, *, here: bool) -> Any:
    """`here`: the error is told at this level, and nothing below it."""
    values: dict[str, Any] = {}
    for field in fields(entity):
        name, kind = field.name, field.type
        nested, many = nested_entity(kind)
        if name in ERROR_FIELDS:
            values[name] = code if here else ErrorCode.none
        elif nested is not None and not many:
            values[name] = None if NoneType in get_args(kind) else build(nested, None, code, here=False)
        elif nested is not None:
            below = not here and leads_to_error(nested)
            values[name] = tuple(
                build(nested, item, code, here=has_error(nested)) for item in (subjects(subject) if below else ())
            )
        elif name in NAMES and (found := named(subject, name)) is not None:
            values[name] = found
        elif field.default is MISSING:
            values[name] = nothing(kind)
    return entity(**values)


def subjects(subject: Any) -> Iterable[Any]:
    """What a part of the request lists: entities, names or numbers."""
    if not is_dataclass(subject):
        return ()
    for field in fields(subject):
        value = getattr(subject, field.name)
        if isinstance(value, tuple) and value:
            return value  # pyright: ignore[reportUnknownVariableType]
    return ()


def named(subject: Any, name: str) -> Any:
    """What the subject has under a name; a bare name or number is its own."""
    if not is_dataclass(subject):
        return subject
    return next((getattr(subject, one) for one in SAME.get(name, (name,)) if hasattr(subject, one)), None)


def has_error(entity: type) -> bool:
    return any(field.name in ERROR_FIELDS for field in fields(entity))


def leads_to_error(entity: type) -> bool:
    """Whether there is a place for the error in an entity or below it."""
    below = [nested_entity(field.type) for field in fields(entity)]
    return has_error(entity) or any(nested is not None and many and leads_to_error(nested) for nested, many in below)


def nothing(kind: Any) -> Any:
    """The value of a field without a default that has nothing to say."""
    options = get_args(kind)
    if type(None) in options:
        return None
    for types, value in EMPTY:
        if isinstance(kind, type) and issubclass(kind, types):
            return value
    return ()


EMPTY: Final[tuple[tuple[type, Any], ...]] = (
    (bool, False),
    (int, -1),
    (str, ""),
    (bytes, b""),
    (timedelta, timedelta(0)),
    (datetime, EPOCH),
    (UUID, UUID(int=0)),
)
