"""What a resource with configs can do, and how a request is carried out on it.

The kinds are in `MODULES`; each is made for one request, by the context and the resource's name, and raises
TopicError where there is no such resource. Source: `ConfigResource.Type`, `ConfigAdminManager` of Apache Kafka.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from kio.schema.errors import ErrorCode

from broker.security.operation import AclOperation
from broker.security.refusal import CODES, MESSAGES
from broker.security.resource import CLUSTER_NAME, ResourceType
from broker.topics.definitions import ConfigDefinition, split_list
from broker.topics.errors import TopicError

if TYPE_CHECKING:
    from broker.server.context import RequestContext

TOPIC, BROKER, BROKER_LOGGER, CLIENT_METRICS, GROUP = 2, 4, 8, 16, 32
"""Codes of Kafka's ConfigResource types."""
SET, DELETE, APPEND, SUBTRACT = range(4)
MODULES = {TOPIC: "topic", BROKER: "node", BROKER_LOGGER: "logger", CLIENT_METRICS: "client_metrics", GROUP: "group"}
"""Kind → its module here, with a class `Configs`; imported when one is first asked for."""
GUARDS = {TOPIC: ResourceType.TOPIC, GROUP: ResourceType.GROUP}
"""Kind → whose ACLs say who may see and change the configs: its own, or else the cluster's."""


class Change(NamedTuple):
    """One operation of IncrementalAlterConfigs."""

    name: str
    operation: int
    value: str | None


class ConfigResource(Protocol):
    """One resource. `incremental` and `replace` apply all or nothing and raise TopicError."""

    def entries(self) -> list[dict[str, Any]]:
        """All configs, as DescribeConfigs shows them, in order of name."""
        ...

    def incremental(self, changes: list[Change], *, validate_only: bool) -> None: ...

    def replace(self, configs: Mapping[str, str], *, validate_only: bool) -> None:
        """Puts these in the place of all that was set."""
        ...


def resource(ctx: RequestContext, operation: AclOperation, kind: int, name: str) -> ConfigResource:
    """Raises TopicError if nothing of that kind has configs, the operation on the resource's configs is not allowed, or
    there is no such resource."""
    module = MODULES.get(kind)
    if module is None:
        raise TopicError(ErrorCode.invalid_request, f"Unknown resource type {kind}")
    guard = GUARDS.get(kind, ResourceType.CLUSTER)
    if not ctx.may(operation, guard, CLUSTER_NAME if guard is ResourceType.CLUSTER else name):
        raise TopicError(CODES[guard], MESSAGES[CODES[guard]])
    made: Callable[[RequestContext, str], ConfigResource] = import_module(f"broker.handlers.resources.{module}").Configs
    return made(ctx, name)


def carry_out(ctx: RequestContext, lines: Any, act: Callable[[ConfigResource, Any], None]) -> list[dict[str, Any]]:
    """The answers of both AlterConfigs: `act` on each resource, none of which may be named twice."""
    times_named = Counter((line.resource_type, line.resource_name) for line in lines)
    responses: list[dict[str, Any]] = []
    for line in lines:
        code, message = ErrorCode.none, None
        try:
            if times_named[line.resource_type, line.resource_name] > 1:
                raise TopicError(ErrorCode.invalid_request, "Each resource must appear at most once.")
            if line.resource_type == TOPIC and not line.resource_name:
                raise TopicError(ErrorCode.invalid_request, "Default topic resources are not allowed.")
            check_entries(line.configs)
            act(resource(ctx, AclOperation.ALTER_CONFIGS, line.resource_type, line.resource_name), line)
        except TopicError as refusal:
            code, message = refusal.code, refusal.message
        responses.append(
            {
                "error_code": code,
                "error_message": message,
                "resource_type": line.resource_type,
                "resource_name": line.resource_name,
            }
        )
    return responses


def check_entries(entries: Iterable[Any]) -> None:
    """Raises TopicError for a config that is named twice or lacks the value it needs."""
    names = [entry.name for entry in entries]
    if len(set(names)) != len(names):
        raise TopicError(ErrorCode.invalid_request, "Error due to duplicate config keys")
    nameless = [entry.name for entry in entries if entry.value is None and operation_of(entry) != DELETE]
    if nameless:
        raise TopicError(ErrorCode.invalid_request, f"Null value not supported for : {','.join(nameless)}")


def operation_of(entry: Any) -> int:
    return getattr(entry, "config_operation", SET)


def changed(
    overrides: Mapping[str, str], changes: Iterable[Change], definition_of: Callable[[str], ConfigDefinition | None]
) -> dict[str, str]:
    """The overrides after the operations; names and values are not checked. Raises TopicError.

    A list that was not set is appended to, and subtracted from, as it is by default.
    """
    result = dict(overrides)
    for name, operation, value in changes:
        if operation == DELETE:
            result.pop(name, None)
            continue
        text = (value or "").strip()
        if operation == SET:
            result[name] = text
            continue
        if operation not in (APPEND, SUBTRACT):
            raise TopicError(ErrorCode.invalid_request, f"Unknown operations type {operation}")
        definition = definition_of(name)
        if definition is None or definition.type != "list":
            what = "APPEND" if operation == APPEND else "SUBTRACT"
            raise TopicError(ErrorCode.invalid_config, f"Can't {what} to key {name} because its type is not LIST.")
        items, named = split_list(result.get(name, definition.default)), split_list(text)
        if operation == APPEND:
            items += [item for item in named if item not in items]
        else:
            items = [item for item in items if item not in named]
        result[name] = ",".join(items)
    return result
