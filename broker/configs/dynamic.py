"""Configs of resources other than topics, as clients set them, durable in `<data>/dynamic-configs.json`.

    {"broker": {"": {…}, "1": {…}}, "client_metrics": {"<subscription>": {…}}}

The broker's are for this node, by its id, or for the whole cluster, by the empty name; the node's come first.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from broker.state_file import StateFile

CLUSTER = ""
"""The name of the cluster-wide settings of brokers."""
NOTHING: Mapping[str, str] = MappingProxyType({})


class Scope(StrEnum):
    """Kinds of resources that are kept here."""

    BROKER = "broker"
    CLIENT_METRICS = "client_metrics"


class DynamicConfigs:
    """Owned by the broker state; used in the event loop's thread. Values are valid when they come here."""

    def __init__(self, file: StateFile) -> None:
        self.file = file
        self.resources: dict[Scope, dict[str, Mapping[str, str]]] = {scope: {} for scope in Scope}

    def load(self) -> None:
        """Raises DataDirectoryError, OSError."""
        content = self.file.load()
        try:
            for scope in Scope:
                for name, configs in content.get(scope, {}).items():
                    self.resources[scope][name] = {str(key): str(value) for key, value in configs.items()}
        except (AttributeError, TypeError) as error:
            raise self.file.damaged(error) from error

    def of(self, scope: Scope, name: str) -> Mapping[str, str]:
        """What was set for a resource, and is not a default."""
        return self.resources[scope].get(name, NOTHING)

    def names(self, scope: Scope) -> list[str]:
        """The resources for which something is set, in order."""
        return sorted(self.resources[scope])

    def replace(self, scope: Scope, name: str, configs: Mapping[str, str]) -> None:
        """Puts these in the place of all that was set for a resource; durable first, true then. Raises OSError."""
        following = {kind: dict(named) for kind, named in self.resources.items()}
        following[scope].pop(name, None)
        if configs:
            following[scope][name] = dict(configs)
        self.file.store(
            {
                kind.value: {each: dict(values) for each, values in named.items()}
                for kind, named in following.items()
                if named
            }
        )
        self.resources = following
