"""The configs of single groups, as both AlterConfigs APIs and DescribeConfigs take and show them.

A value that the group does not override comes from the broker's `group.consumer.…` setting.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from kio.schema.errors import ErrorCode

from broker.consumer_groups.configs import DEFINITIONS, HEARTBEAT_INTERVAL
from broker.handlers.config_entries import DEFAULT_CONFIG, DYNAMIC_GROUP, STATIC_BROKER, TYPES
from broker.topics.definitions import InvalidConfigError
from broker.topics.errors import TopicError

if TYPE_CHECKING:
    from broker.state import BrokerState


def check_name(group_id: str) -> None:
    """Raises TopicError for the empty name."""
    if not group_id:
        raise TopicError(ErrorCode.invalid_request, "Default group resources are not allowed.")


def group_entries(broker: BrokerState, group_id: str) -> list[dict[str, Any]]:
    """All configs of a group, in order of name; a group that is not there has the broker's."""
    check_name(group_id)
    configs = broker.groups.configs
    overrides = configs.overrides(group_id)
    entries: list[dict[str, Any]] = []
    for name, definition in sorted(DEFINITIONS.items()):
        settings = configs.settings
        of_broker = settings.heartbeat_interval_ms if name == HEARTBEAT_INTERVAL else settings.session_timeout_ms
        given = str(of_broker)
        synonyms: list[dict[str, Any]] = []
        if name in overrides:
            synonyms.append({"name": name, "value": overrides[name], "source": DYNAMIC_GROUP})
        source = DEFAULT_CONFIG if given == definition.default else STATIC_BROKER
        synonyms.append({"name": definition.broker_name, "value": given, "source": source})
        entries.append(
            {
                "name": name,
                "value": synonyms[0]["value"],
                "read_only": False,
                "config_source": synonyms[0]["source"],
                "is_sensitive": False,
                "synonyms": synonyms,
                "config_type": TYPES[definition.type],
                "documentation": definition.doc,
            }
        )
    return entries


def replace_group_configs(
    broker: BrokerState, group_id: str, overrides: Mapping[str, str], *, validate_only: bool
) -> None:
    """Puts these in the place of all that was set for the group. Raises TopicError."""
    check_name(group_id)
    try:
        broker.groups.configs.set(group_id, overrides, validate_only=validate_only)
    except InvalidConfigError as error:
        raise TopicError(ErrorCode.invalid_config, str(error)) from error
    except OSError as error:
        raise broker.storage_error(f"configure group {group_id}", error) from error
