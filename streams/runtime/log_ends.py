"""Where partitions end: the offset that the next record will get."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from typing import Any, Protocol, cast

from confluent_kafka import IsolationLevel, KafkaException
from confluent_kafka.admin import AdminClient, OffsetSpec  # pyright: ignore[reportPrivateImportUsage]

from streams.errors import StreamsError
from streams.runtime.consumer import partitions
from streams.runtime.router import Place


class EndsRequest(Protocol):
    """A question on its way to the broker."""

    def done(self) -> bool: ...

    def result(self, timeout_s: float) -> Mapping[Place, int]:
        """Waits for the answer. Raises StreamsError if there is none in time."""
        ...


class LogEnds(Protocol):
    """Asks a broker for end offsets; all of `places` in one request per broker."""

    def request(self, places: Collection[Place]) -> EndsRequest: ...


class BrokerLogEnds:
    """Through the admin client: its thread waits, the stream thread does not. `committed`: the end for readers of
    committed records, before what open transactions have written."""

    def __init__(self, admin: AdminClient, *, committed: bool = False) -> None:
        self._admin = admin
        self._isolation = IsolationLevel.READ_COMMITTED if committed else IsolationLevel.READ_UNCOMMITTED

    def request(self, places: Collection[Place]) -> EndsRequest:
        asked: dict[Any, Any] = dict.fromkeys(partitions(places), OffsetSpec.latest())
        list_offsets = cast(Callable[..., dict[Any, Future[Any]]], self._admin.list_offsets)  # pyright: ignore[reportUnknownMemberType]
        futures = list_offsets(asked, isolation_level=self._isolation) if asked else {}
        return _Answers({(partition.topic, partition.partition): future for partition, future in futures.items()})


class _Answers:
    def __init__(self, futures: Mapping[Place, Future[Any]]) -> None:
        self._futures = futures

    def done(self) -> bool:
        return all(future.done() for future in self._futures.values())

    def result(self, timeout_s: float) -> Mapping[Place, int]:
        ends: dict[Place, int] = {}
        for (topic, partition), future in self._futures.items():
            try:
                ends[topic, partition] = future.result(timeout_s).offset
            except (KafkaException, FutureTimeout) as error:
                raise StreamsError(
                    f"the broker did not say where {topic}[{partition}] ends ({error}): check that it is reachable"
                ) from error
        return ends
