"""The levels of this broker's loggers; a level that is deleted is that of the logger above (KIP-412)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from kio.schema.errors import ErrorCode

from broker.configs.loggers import LEVELS, ROOT, exists, logger_levels, set_level
from broker.handlers.config_entries import DYNAMIC_BROKER_LOGGER
from broker.handlers.resources.node import check_node
from broker.handlers.resources.resource import APPEND, DELETE, SET, SUBTRACT, Change
from broker.topics.errors import TopicError

if TYPE_CHECKING:
    from broker.server.context import RequestContext


class Configs:
    def __init__(self, ctx: RequestContext, name: str) -> None:
        check_node(name, ctx.broker.node_id)

    def entries(self) -> list[dict[str, Any]]:
        return [
            {
                "name": name,
                "value": level,
                "read_only": False,
                "config_source": DYNAMIC_BROKER_LOGGER,
                "is_sensitive": False,
                "synonyms": [],
                "config_type": 0,
                "documentation": None,
            }
            for name, level in logger_levels().items()
        ]

    def incremental(self, changes: list[Change], *, validate_only: bool) -> None:
        for change in changes:
            check_change(change)
        if not validate_only:
            for change in changes:
                set_level(change.name, change.value if change.operation == SET else None)

    def replace(self, configs: Mapping[str, str], *, validate_only: bool) -> None:
        raise TopicError(ErrorCode.invalid_request, "Levels of loggers are changed by IncrementalAlterConfigs only.")


def check_change(change: Change) -> None:
    """Raises TopicError for an operation, logger or level there is not."""
    if change.operation in (APPEND, SUBTRACT):
        what = "APPEND" if change.operation == APPEND else "SUBTRACT"
        raise TopicError(ErrorCode.invalid_request, f"{what} operation is not allowed for the BROKER_LOGGER resource")
    if change.operation not in (SET, DELETE):
        raise TopicError(ErrorCode.invalid_request, f"Unknown operations type {change.operation}")
    if not exists(change.name):
        raise TopicError(ErrorCode.invalid_config, f"Logger {change.name} does not exist!")
    if change.operation == DELETE:
        if change.name == ROOT:
            raise TopicError(ErrorCode.invalid_request, "Removing the log level of the root logger is not allowed")
    elif change.value not in LEVELS:
        raise TopicError(
            ErrorCode.invalid_config,
            f"Cannot set the log level of {change.name} to {change.value} as it is not a supported log level. "
            f"Valid log levels are {', '.join(sorted(LEVELS))}",
        )
