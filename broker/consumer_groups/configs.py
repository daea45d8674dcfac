"""Configs of single groups (resource type GROUP): what there is, what is valid, and a file to keep them in.

    <data>/group-configs.json   {group id: {name: value, …}, …}

A group need not be there to have configs, and they outlive it.

Source: `GroupConfig` of Apache Kafka.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Final

from broker.consumer_groups.settings import ConsumerGroupSettings
from broker.errors import DataDirectoryError
from broker.files import write_atomically
from broker.topics.definitions import ConfigDefinition, InvalidConfigError, define

SESSION_TIMEOUT: Final = "consumer.session.timeout.ms"
HEARTBEAT_INTERVAL: Final = "consumer.heartbeat.interval.ms"
DEFINITIONS: Final[Mapping[str, ConfigDefinition]] = MappingProxyType(
    dict(
        (
            define(SESSION_TIMEOUT, "int", "45000", f"group.{SESSION_TIMEOUT}", "silence after which a member is out"),
            define(
                HEARTBEAT_INTERVAL, "int", "5000", f"group.{HEARTBEAT_INTERVAL}", "time between heartbeats, at most"
            ),
        )
    )
)
NO_OVERRIDES: Final[Mapping[str, str]] = MappingProxyType({})


class GroupConfigs:
    """Group id → its overrides of `settings`. Used in the event loop's thread only."""

    def __init__(self, settings: ConsumerGroupSettings, path: Path | None = None, *, durable: bool = False) -> None:
        self.settings = settings
        self.path = path
        """None: they are not kept."""
        self.durable = durable
        self.groups: dict[str, Mapping[str, str]] = {}
        self.effective: dict[str, ConsumerGroupSettings] = {}

    def load(self) -> None:
        """Raises DataDirectoryError if the file is not what this wrote."""
        if self.path is None or not self.path.exists():
            return
        try:
            for group_id, overrides in json.loads(self.path.read_bytes()).items():
                self.groups[group_id] = dict(overrides)
                self.effective[group_id] = self.parse(overrides)
        except (ValueError, AttributeError, TypeError, InvalidConfigError) as error:
            raise DataDirectoryError(
                f"{self.path} does not hold configs of groups that this broker takes ({error}): mend it, or move it "
                "away to start without them"
            ) from error

    def of(self, group_id: str) -> ConsumerGroupSettings:
        """The settings in force for a group."""
        return self.effective.get(group_id, self.settings)

    def overrides(self, group_id: str) -> Mapping[str, str]:
        return self.groups.get(group_id, NO_OVERRIDES)

    def set(self, group_id: str, overrides: Mapping[str, str], *, validate_only: bool = False) -> None:
        """Replaces a group's overrides whole. Raises InvalidConfigError, OSError."""
        effective = self.parse(overrides)
        if validate_only:
            return
        groups = {**self.groups, group_id: dict(overrides)}
        if not overrides:
            del groups[group_id]
        if self.path is not None:
            write_atomically(self.path, json.dumps(groups).encode(), durable=self.durable)
        self.groups = groups
        self.effective.pop(group_id, None)
        if overrides:
            self.effective[group_id] = effective

    def parse(self, overrides: Mapping[str, str]) -> ConsumerGroupSettings:
        """The settings with these overrides. Raises InvalidConfigError."""
        settings = self.settings
        for name, value in overrides.items():
            if name == SESSION_TIMEOUT:
                low, high = settings.min_session_timeout_ms, settings.max_session_timeout_ms
                settings = replace(settings, session_timeout_ms=number(name, value, low, high))
            elif name == HEARTBEAT_INTERVAL:
                low, high = settings.min_heartbeat_interval_ms, settings.max_heartbeat_interval_ms
                settings = replace(settings, heartbeat_interval_ms=number(name, value, low, high))
            else:
                raise InvalidConfigError(f"Unknown group config name: {name}")
        if settings.heartbeat_interval_ms >= settings.session_timeout_ms:
            raise InvalidConfigError(
                f"{SESSION_TIMEOUT} ({settings.session_timeout_ms}) must be greater than {HEARTBEAT_INTERVAL} "
                f"({settings.heartbeat_interval_ms})"
            )
        return settings


def number(name: str, value: str, low: int, high: int) -> int:
    """A config's value; `low` and `high` are the broker's `group.consumer.min/max.…` settings."""
    where = f"Invalid value {value} for configuration {name}"
    try:
        found = int(value)
    except ValueError:
        raise InvalidConfigError(f"{where}: Not a number of type INT") from None
    if not low <= found <= high:
        raise InvalidConfigError(
            f"{where}: Value must be between {low} and {high} (group.{name} of the broker, min, max)"
        )
    return found
