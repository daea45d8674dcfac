"""The configs of a group of the consumer protocol, be it there or not (KIP-848).

A value that the group does not override comes from the broker's `group.consumer.…` setting.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from kio.schema.errors import ErrorCode

from broker.consumer_groups.configs import DEFINITIONS, HEARTBEAT_INTERVAL
from broker.handlers.config_entries import DEFAULT_CONFIG, DYNAMIC_GROUP, STATIC_BROKER, Value, entry
from broker.handlers.resources.resource import Change, changed
from broker.topics.definitions import InvalidConfigError
from broker.topics.errors import TopicError

if TYPE_CHECKING:
    from broker.server.context import RequestContext


class Configs:
    def __init__(self, ctx: RequestContext, name: str) -> None:
        if not name:
            raise TopicError(ErrorCode.invalid_request, "Default group resources are not allowed.")
        self.broker = ctx.broker
        self.name = name
        self.configs = ctx.broker.groups.configs
        self.overrides = self.configs.overrides(name)

    def entries(self) -> list[dict[str, Any]]:
        settings = self.configs.settings
        entries: list[dict[str, Any]] = []
        for name, definition in sorted(DEFINITIONS.items()):
            given = str(settings.heartbeat_interval_ms if name == HEARTBEAT_INTERVAL else settings.session_timeout_ms)
            source = DEFAULT_CONFIG if given == definition.default else STATIC_BROKER
            values: list[Value] = [(definition.broker_name, given, source)]
            if name in self.overrides:
                values.insert(0, (name, self.overrides[name], DYNAMIC_GROUP))
            entries.append(entry(definition, name, values))
        return entries

    def incremental(self, changes: list[Change], *, validate_only: bool) -> None:
        self.replace(changed(self.overrides, changes, DEFINITIONS.get), validate_only=validate_only)

    def replace(self, configs: Mapping[str, str], *, validate_only: bool) -> None:
        try:
            self.configs.set(self.name, configs, validate_only=validate_only)
        except InvalidConfigError as error:
            raise TopicError(ErrorCode.invalid_config, str(error)) from error
        except OSError as error:
            raise self.broker.storage_error(f"configure group {self.name}", error) from error
