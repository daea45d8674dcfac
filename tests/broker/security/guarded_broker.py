"""A broker with an authorizer in this process, and clients whose principal is known.

Who a client is comes from `Connection.principal`, which authentication sets; here the test does, so that these tests
need no mechanism.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, TypeVar

from broker import BrokerOptions
from broker.security.acl import Acl, AclPermission
from broker.security.authorizer import Authorizer
from broker.security.operation import AclOperation
from broker.security.principal import Principal
from broker.security.resource import PatternType, ResourceType
from broker.server.server import Server
from broker.state import BrokerState
from tests.broker.groups.wire import WireClient

ResultT = TypeVar("ResultT")
ALICE = Principal("User", "alice")


class Right(NamedTuple):
    """What an ALLOW entry for alice gives."""

    operation: AclOperation
    resource_type: ResourceType
    name: str

    @property
    def acl(self) -> Acl:
        return Acl(
            self.resource_type, self.name, PatternType.LITERAL, str(ALICE), "*", self.operation, AclPermission.ALLOW
        )


class GuardedBroker:
    """A server in a thread of its own; `call` works in it."""

    def __init__(self, path: Path, **options: Any) -> None:
        self.server = Server(BrokerOptions(**{"authorizer": True, **options}), path)
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)

    def __enter__(self) -> GuardedBroker:
        self.thread.start()
        asyncio.run_coroutine_threadsafe(self.server.start(), self.loop).result(30)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        try:
            asyncio.run_coroutine_threadsafe(self.server.close(), self.loop).result(30)
        finally:
            self.loop.call_soon_threadsafe(self.loop.stop)
            self.thread.join()
            self.loop.close()

    @property
    def state(self) -> BrokerState:
        return self.server.state

    @property
    def authorizer(self) -> Authorizer:
        assert self.state.authorizer is not None
        return self.state.authorizer

    @property
    def bootstrap_servers(self) -> str:
        return f"127.0.0.1:{self.server.port}"

    def call(self, function: Callable[..., ResultT], *arguments: Any) -> ResultT:
        """Runs a function in the server's thread."""

        async def run() -> ResultT:
            return function(*arguments)

        return self.wait(run())

    def wait(self, work: Coroutine[Any, Any, ResultT]) -> ResultT:
        """Runs a coroutine there."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(30)

    def allow_only(self, rights: Iterable[Right]) -> None:
        """From here on alice has these rights and no others."""
        self.call(self.authorizer.replace, {right.acl: None for right in rights})

    @contextmanager
    def client(self, principal: Principal = ALICE) -> Iterator[WireClient]:
        """A connection of that principal."""
        with WireClient(self.bootstrap_servers) as client:
            client.ask(18, 0)  # when it is answered, the connection is there
            address = client.socket.getsockname()
            self.call(self.identify, address, principal)
            yield client

    def identify(self, address: tuple[str, int], principal: Principal) -> None:
        (connection,) = (one for one in self.server.connections if one.transport.get_extra_info("peername") == address)
        connection.principal = principal
