"""The table of handlers: which function serves which API.

A handler stands in the module that is called after its API, such as `broker.handlers.end_txn`, and is imported when a
client first asks for it: a client uses a dozen of the fifty, and all of them would be a tenth of the start. Until then
the table goes by `ADVERTISED`; what it says is compared with each handler that comes in, and by a test with all of
them. Who may use what has to be said of every API before the start.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from importlib import import_module
from typing import Any, cast

from broker.handlers.permissions import PERMISSIONS, guarded
from broker.protocol.advertised import ADVERTISED
from broker.protocol.api import Api, Handler
from broker.protocol.api_keys import ApiKey
from broker.protocol.entities import VersionedEntities


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
    """Finds the operation for an API key and version; handlers and entities are imported when they are first asked for.

    Raises RuntimeError where an API does not say who may use it: a programming error.
    """

    def __init__(self, keys: Collection[ApiKey] | None = None) -> None:
        self.keys: frozenset[int] = frozenset(ADVERTISED if keys is None else keys)
        self.operations: dict[int, Operation] = {}
        """By key * 65536 + version: what clients have used so far."""
        for key in self.keys:
            if key not in PERMISSIONS:
                raise RuntimeError(f"{ApiKey(key).name} does not say in broker.handlers.permissions who may use it")

    def operation(self, key: int, version: int) -> Operation | None:
        """None if this broker does not serve that."""
        if key not in self.keys:
            return None
        handler = load_handler(ApiKey(key))
        if not handler.api.min_version <= version <= handler.api.max_version:
            return None
        operation = self.operations[key << 16 | version] = Operation(handler, version)
        return operation


def load_handler(key: ApiKey) -> Handler:
    """The function `handle` of the API's module, which `broker.protocol.api.api` decorates.

    Raises RuntimeError where it serves something else than is advertised: a programming error.
    """
    module = f"broker.handlers.{key.name.lower()}"
    handler = cast(Handler, import_module(module).handle)
    served = handler.api
    if served.key != key:
        raise RuntimeError(f"{module} serves {served.key.name}")
    low, high = ADVERTISED[key]
    if high != served.max_version or (low != served.min_version and key != ApiKey.PRODUCE):
        raise RuntimeError(
            f"{key.name} is advertised for versions {low}-{high} but served for "
            f"{served.min_version}-{served.max_version}"
        )
    return handler
