"""What groups have committed, asked of their coordinators.

librdkafka's admin client offers the same (ListConsumerGroupOffsets), but a coordinator that answers NOT_COORDINATOR has
it follow a null pointer, which ends the process (2.4 to 2.16): as one answers when groups move to another broker, and
while a cluster makes the topic of its first group's offsets.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from contextlib import ExitStack

from kio.schema.errors import ErrorCode

from streams.wire.address import Address
from streams.wire.client import Client
from streams.wire.connection import Connection
from streams.wire.errors import RefusedError, WireError
from streams.wire.patience import Patience
from streams.wire.requests.offset_fetch import OffsetFetch

Partition = tuple[str, int]


def committed_offsets(
    client: Client,
    wanted: Mapping[str, Collection[Partition] | None],
    *,
    stable: bool = False,
    timeout_s: float = 10.0,
    clock: Callable[[], float] = time.monotonic,
    pause: Callable[[float], None] = time.sleep,
) -> dict[str, dict[Partition, int]]:
    """Group -> partition -> the offset that it goes on from. Partitions without one are left out. It blocks, on
    connections of its own; a coordinator that moves, loads or is being made is asked again for `timeout_s`.

    Args:
        wanted: the partitions of each group; None: all it has committed.
        stable: leaves out partitions of which an open transaction commits the offset.

    Raises:
        WireError
    """
    found: dict[str, dict[Partition, int]] = {}
    patience = Patience(clock, pause, clock() + timeout_s)
    while True:
        try:
            with _Coordinators(client) as coordinators:
                for group in wanted.keys() - found.keys():
                    found[group] = _committed(coordinators.of(group), group, wanted[group], stable, client)
            return {group: found[group] for group in wanted}
        except WireError as error:
            if not error.retriable or patience.left_s <= 0:
                raise
        patience.rest()


def _committed(
    connection: Connection, group: str, partitions: Collection[Partition] | None, stable: bool, client: Client
) -> dict[Partition, int]:
    request = OffsetFetch(group_id=group, partitions=partitions, stable=stable)
    answer = connection.call(request, timeout_s=client.request_timeout_s)
    if answer.error != ErrorCode.none:
        raise RefusedError(answer.error, api=OffsetFetch.api.name, detail=f"group {group!r}")
    return {
        place: fetched.offset
        for place, fetched in sorted(answer.offsets.items())
        if fetched.error == ErrorCode.none and fetched.offset >= 0
    }


class _Coordinators:
    """One connection to each server that is asked."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._open = ExitStack()
        self._connections: dict[Address, Connection] = {}

    def __enter__(self) -> _Coordinators:
        return self

    def __exit__(self, *exc: object) -> None:
        self._open.close()

    def of(self, group: str) -> Connection:
        """Raises WireError."""
        anyone = next(iter(self._connections.values()), None) or self._kept(self._client.connect_any())
        address = self._client.find_coordinator(anyone, group)
        return self._connections.get(address) or self._kept(self._client.connect(address))

    def _kept(self, connection: Connection) -> Connection:
        self._open.callback(connection.close)
        self._connections[connection.address] = connection
        return connection
