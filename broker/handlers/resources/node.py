"""The configs of this broker by its id; by the empty name those of all brokers, without the node's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from kio.schema.errors import ErrorCode

from broker.configs.definitions import definition_of
from broker.configs.dynamic import CLUSTER, Scope
from broker.handlers.config_entries import broker_entries, cluster_entries
from broker.handlers.resources.resource import Change, changed
from broker.topics.errors import TopicError

if TYPE_CHECKING:
    from broker.server.context import RequestContext


class Configs:
    def __init__(self, ctx: RequestContext, name: str) -> None:
        if name != CLUSTER:
            check_node(name, ctx.broker.node_id)
        self.broker = ctx.broker
        self.name = name

    def entries(self) -> list[dict[str, Any]]:
        return broker_entries(self.broker) if self.name else cluster_entries(self.broker.configs)

    def incremental(self, changes: list[Change], *, validate_only: bool) -> None:
        overrides = self.broker.configs.dynamic.of(Scope.BROKER, self.name)
        self.replace(changed(overrides, changes, definition_of), validate_only=validate_only)

    def replace(self, configs: Mapping[str, str], *, validate_only: bool) -> None:
        try:
            self.broker.configs.replace(self.name, configs, validate_only=validate_only)
        except OSError as error:
            raise self.broker.storage_error("configure the broker", error) from error


def check_node(name: str, node_id: int) -> None:
    """Raises TopicError unless it is this node."""
    try:
        named = int(name)
    except ValueError:
        raise TopicError(ErrorCode.invalid_request, f"Node id must be an integer, but it is: {name}") from None
    if named != node_id:
        raise TopicError(ErrorCode.invalid_request, f"Unexpected broker id, expected {node_id}, but received {name}")
