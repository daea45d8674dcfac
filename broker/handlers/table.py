"""The table of handlers: which module serves which API. Built once per server, checked against ADVERTISED."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from importlib import import_module
from typing import Any, Final, cast

from broker.handlers.permissions import PERMISSIONS, guarded
from broker.protocol.advertised import ADVERTISED
from broker.protocol.api import Api, Handler
from broker.protocol.api_keys import ApiKey
from broker.protocol.entities import VersionedEntities

MODULES: Final = (
    "add_offsets_to_txn",
    "add_partitions_to_txn",
    "alter_client_quotas",
    "alter_configs",
    "alter_partition_reassignments",
    "alter_replica_log_dirs",
    "alter_user_scram_credentials",
    "api_versions",
    "consumer_group_describe",
    "consumer_group_heartbeat",
    "create_acls",
    "create_partitions",
    "create_topics",
    "delete_acls",
    "delete_groups",
    "delete_records",
    "delete_topics",
    "describe_acls",
    "describe_client_quotas",
    "describe_cluster",
    "describe_configs",
    "describe_groups",
    "describe_log_dirs",
    "describe_producers",
    "describe_quorum",
    "describe_topic_partitions",
    "describe_transactions",
    "describe_user_scram_credentials",
    "elect_leaders",
    "end_txn",
    "fetch",
    "find_coordinator",
    "heartbeat",
    "incremental_alter_configs",
    "init_producer_id",
    "join_group",
    "leave_group",
    "list_config_resources",
    "list_groups",
    "list_offsets",
    "list_partition_reassignments",
    "list_transactions",
    "metadata",
    "offset_commit",
    "offset_delete",
    "offset_fetch",
    "offset_for_leader_epoch",
    "produce",
    "sasl_authenticate",
    "sasl_handshake",
    "sync_group",
    "txn_offset_commit",
    "update_features",
    "write_txn_markers",
)
"""Each has one function `handle`, decorated with `broker.protocol.api.api`."""


class Operation:
    """One API in one version, ready to serve."""

    __slots__ = ("api", "entities", "flexible_request", "flexible_response", "handle", "version")

    def __init__(self, handler: Handler, version: int) -> None:
        self.api: Api = handler.api
        self.handle: Callable[..., Any] = handler if self.api.raw else guarded(handler)
        self.version = version
        if self.api.raw:
            self.entities = None
            flexible = version >= self.api.flexible_from
        else:
            self.entities = VersionedEntities(self.api.key, version)
            flexible = self.entities.flexible
        self.flexible_request = flexible
        # A client that does not know this broker's versions yet must be able to read the answer (KIP-511).
        self.flexible_response = flexible and self.api.key != ApiKey.API_VERSIONS


class HandlerTable:
    """Finds the operation for an API key and version; entities are imported when a version is first asked for."""

    def __init__(self, handlers: Mapping[int, Handler] | None = None) -> None:
        self.handlers: Mapping[int, Handler] = load_handlers() if handlers is None else handlers
        self.operations: dict[int, Operation] = {}
        """By key * 65536 + version: what clients have used so far."""

    def only(self, keys: Collection[ApiKey]) -> HandlerTable:
        """The table of some APIs alone."""
        return HandlerTable({key: handler for key, handler in self.handlers.items() if key in keys})

    def operation(self, key: int, version: int) -> Operation | None:
        """None if this broker does not serve that."""
        handler = self.handlers.get(key)
        if handler is None or not handler.api.min_version <= version <= handler.api.max_version:
            return None
        operation = self.operations[key << 16 | version] = Operation(handler, version)
        return operation


def load_handlers() -> Mapping[int, Handler]:
    """All handlers by API key. Raises RuntimeError where table and advertised versions differ: a programming error."""
    handlers: dict[int, Handler] = {}
    for name in MODULES:
        module: Any = import_module(f"broker.handlers.{name}")
        handler = cast(Handler, module.handle)
        if handler.api.key in handlers:
            raise RuntimeError(f"{handler.api.key.name} has two handlers, one of them in {module.__name__}")
        if handler.api.key not in PERMISSIONS:
            raise RuntimeError(f"{handler.api.key.name} does not say in broker.handlers.permissions who may use it")
        handlers[handler.api.key] = handler
    for key in ADVERTISED.keys() | handlers.keys():
        if key not in handlers or key not in ADVERTISED:
            raise RuntimeError(f"{ApiKey(key).name} is advertised or has a handler, but not both")
        low, high = ADVERTISED[ApiKey(key)]
        served = handlers[key].api
        if high != served.max_version or (low != served.min_version and key != ApiKey.PRODUCE):
            raise RuntimeError(
                f"{ApiKey(key).name} is advertised for versions {low}-{high} but served for "
                f"{served.min_version}-{served.max_version}"
            )
    return handlers
