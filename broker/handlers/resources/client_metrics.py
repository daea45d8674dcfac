"""The configs of a client metrics subscription; every name is one, set or not (KIP-714)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from kio.schema.errors import ErrorCode

from broker.configs.client_metrics import CLIENT_METRICS, check_subscription
from broker.configs.dynamic import Scope
from broker.handlers.config_entries import DEFAULT_CONFIG, DYNAMIC_CLIENT_METRICS, entry
from broker.handlers.resources.resource import Change, changed
from broker.topics.errors import TopicError

if TYPE_CHECKING:
    from broker.server.context import RequestContext


class Configs:
    def __init__(self, ctx: RequestContext, name: str) -> None:
        if not name:
            raise TopicError(ErrorCode.invalid_request, "Subscription name can't be empty")
        self.broker = ctx.broker
        self.name = name
        self.overrides = ctx.broker.configs.dynamic.of(Scope.CLIENT_METRICS, name)

    def entries(self) -> list[dict[str, Any]]:
        return [
            entry(
                definition,
                name,
                [(name, self.overrides[name], DYNAMIC_CLIENT_METRICS)] if name in self.overrides else [],
                otherwise=(definition.default, DEFAULT_CONFIG),
            )
            for name, definition in sorted(CLIENT_METRICS.items())
        ]

    def incremental(self, changes: list[Change], *, validate_only: bool) -> None:
        self.replace(changed(self.overrides, changes, CLIENT_METRICS.get), validate_only=validate_only)

    def replace(self, configs: Mapping[str, str], *, validate_only: bool) -> None:
        check_subscription(configs)
        if validate_only:
            return
        try:
            self.broker.configs.dynamic.replace(Scope.CLIENT_METRICS, self.name, configs)
        except OSError as error:
            raise self.broker.storage_error("keep a client metrics subscription", error) from error
