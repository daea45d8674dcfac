"""Where partitions end: the offset that the next record will get; and where an application is in them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from threading import Thread
from typing import Any, Protocol, cast

from confluent_kafka import IsolationLevel, KafkaException
from confluent_kafka.admin import AdminClient, OffsetSpec  # pyright: ignore[reportPrivateImportUsage]

from streams.errors import StreamsError
from streams.runtime.consumer import partitions
from streams.runtime.options import WorkerOptions
from streams.runtime.router import Place
from streams.wire.client import Client
from streams.wire.errors import WireError
from streams.wire.group_offsets import committed_offsets


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
    """Through an admin client: its thread waits, the stream thread does not. `committed`: the end for readers of
    committed records, before what open transactions have written.

    librdkafka asks with the leader epochs it has cached and does not look them up again when they are refused
    (FENCED_LEADER_EPOCH, as after an election or an unclean restart), be the question asked as often as it may. So
    after a refusal the next question goes through a new client. And it drops its first connection as soon as it has
    learned who is there: what was asked before that may be lost, which it finds out after 3 s. So a client is opened
    before it is needed.

    Args:
        open_admin: opens a client.
        admin: one that is connected, to begin with; None: one is opened now.
    """

    def __init__(
        self, open_admin: Callable[[], AdminClient], admin: AdminClient | None = None, *, committed: bool = False
    ) -> None:
        self._open_admin = open_admin
        self._admin = admin or open_admin()
        self._isolation = IsolationLevel.READ_COMMITTED if committed else IsolationLevel.READ_UNCOMMITTED

    def request(self, places: Collection[Place]) -> EndsRequest:
        asked: dict[Any, Any] = dict.fromkeys(partitions(places), OffsetSpec.latest())
        list_offsets = cast(Callable[..., dict[Any, Future[Any]]], self._admin.list_offsets)  # pyright: ignore[reportUnknownMemberType]
        futures = list_offsets(asked, isolation_level=self._isolation) if asked else {}
        found = {(partition.topic, partition.partition): future for partition, future in futures.items()}
        return _Answers(self._admin, found, self._refused)

    def _refused(self, admin: AdminClient) -> None:
        if admin is self._admin:
            self._admin = self._open_admin()


def connected(admin: AdminClient, topic: str, timeout_s: float) -> AdminClient:
    """The client, once it is connected for good: what it is asked from then on is not lost. The topic has to be there.
    Raises StreamsError."""
    try:
        admin.list_topics(topic, timeout=timeout_s)  # which tells it the brokers
        admin.list_topics(topic, timeout=timeout_s)  # through the connection that it has made since
    except KafkaException as error:
        raise StreamsError(f"the broker does not answer ({error}): check that it is reachable") from error
    return admin


class CommittedEnds:
    """How far the inputs of an application are processed: its committed offsets, without those that open transactions
    hold. Left out where there is none. Each question has a thread of its own."""

    def __init__(self, options: WorkerOptions) -> None:
        self._client = Client.of(options.client("committed"))
        self._group_id = options.application_id

    def request(self, places: Collection[Place]) -> EndsRequest:
        answer = Future[Mapping[Place, int]]()
        Thread(target=self._ask, args=(set(places), answer), name="headrace-committed-ends", daemon=True).start()
        return _Committed(self._group_id, answer)

    def _ask(self, places: Collection[Place], answer: Future[Mapping[Place, int]]) -> None:
        try:
            answer.set_result(committed_offsets(self._client, {self._group_id: places})[self._group_id])
        except BaseException as error:
            answer.set_exception(error)


class _Committed:
    def __init__(self, group_id: str, answer: Future[Mapping[Place, int]]) -> None:
        self._group_id = group_id
        self._answer = answer

    def done(self) -> bool:
        return self._answer.done()

    def result(self, timeout_s: float) -> Mapping[Place, int]:
        try:
            return self._answer.result(timeout_s)
        except (WireError, FutureTimeout) as error:
            raise StreamsError(
                f"the broker did not say what {self._group_id} has committed ({error}): check that it is reachable"
            ) from error


class _Answers:
    """Holds the client: without it there would be no answers."""

    def __init__(
        self, admin: AdminClient, futures: Mapping[Place, Future[Any]], refused: Callable[[AdminClient], None]
    ) -> None:
        self._admin = admin
        self._futures = futures
        self._refused = refused

    def done(self) -> bool:
        return all(future.done() for future in self._futures.values())

    def result(self, timeout_s: float) -> Mapping[Place, int]:
        ends: dict[Place, int] = {}
        for (topic, partition), future in self._futures.items():
            try:
                ends[topic, partition] = future.result(timeout_s).offset
            except (KafkaException, FutureTimeout) as error:
                if isinstance(error, KafkaException):
                    self._refused(self._admin)
                raise StreamsError(
                    f"the broker did not say where {topic}[{partition}] ends ({error}): check that it is reachable"
                ) from error
        return ends
