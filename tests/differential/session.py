"""A scripted client session: raw requests of chosen versions, and what was answered to each.

Nothing is retried or smoothed but for what Apache Kafka needs time for: it answers some requests with a passing error
while something else of the same session is still on its way (`PASSING`).
"""

from __future__ import annotations

import struct
import time
from collections.abc import Callable, Collection
from datetime import timedelta
from types import TracebackType
from typing import Any
from uuid import UUID

from kio.schema.errors import ErrorCode

from broker.protocol.api_keys import ApiKey
from tests.broker.groups.wire import WireClient
from tests.differential.answer import Labels, codes, describe

PASSING = frozenset(
    {
        ErrorCode.coordinator_load_in_progress,
        ErrorCode.coordinator_not_available,
        ErrorCode.not_coordinator,
        ErrorCode.concurrent_transactions,
        ErrorCode.leader_not_available,
    }
)
PATIENCE_S = 15.0
SILENCE_S = 10.0
"""After which a step counts as unanswered."""
SECOND = timedelta(seconds=1)


class Unanswered(ConnectionError):
    """The broker closed the connection instead of answering, or went on saying nothing."""


class Connection(WireClient):
    """One connection whose end is told from an answer."""

    def read(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            try:
                chunk = self.socket.recv(size - len(data))
            except ConnectionResetError:
                chunk = b""
            except TimeoutError:
                raise Unanswered("no answer") from None
            if not chunk:
                raise Unanswered("connection closed")
            data += chunk
        return data


class Session:
    """Plays steps against one broker; `answers` has what came back, in order, in a form that can be compared."""

    def __init__(self, bootstrap_servers: str) -> None:
        self.bootstrap_servers = bootstrap_servers
        self.connections: dict[str, Connection] = {}
        self.labels = Labels(bootstrap_servers)
        self.answers: dict[str, Any] = {}
        self.topic_ids: dict[str, UUID] = {}
        """Of topics that `make_topic` has made."""
        self.waiting: dict[str, tuple[str, ApiKey, int]] = {}
        """By connection: the step whose answer has not been read yet."""

    def __enter__(self) -> Session:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        for connection in self.connections.values():
            connection.socket.close()

    # -- steps -------------------------------------------------------------------------------------------------------
    def ask(
        self,
        what: str,
        api: ApiKey,
        version: int,
        /,
        *,
        on: str = "first",
        passing: Collection[ErrorCode] = PASSING,
        until: Callable[[Any], bool] | None = None,
        **fields: Any,
    ) -> Any:
        """One step: a request and its answer, which is recorded and returned; Unanswered if there is none.

        `passing`: errors after which it is asked again. `until`: asked again until this holds of the answer.
        """
        deadline = time.monotonic() + PATIENCE_S
        while True:
            self.send(what, api, version, on=on, **fields)
            answer = self.read(on)
            again = bool(codes(answer) & set(passing)) or (until is not None and not until(answer))
            if not again or time.monotonic() > deadline:
                return self.record(what, api, version, answer)
            time.sleep(0.02)

    def send(self, what: str, api: ApiKey, version: int, /, *, on: str = "first", **fields: Any) -> None:
        """The first half of a step whose answer is to come later (`receive`)."""
        if on not in self.connections:
            self.connections[on] = Connection(self.bootstrap_servers)
            self.connections[on].socket.settimeout(SILENCE_S)
        self.connections[on].send(api, version, **fields)
        self.waiting[on] = what, api, version

    def receive(self, on: str = "first") -> Any:
        """The second half: waits for the answer, records and returns it."""
        what, api, version = self.waiting[on]
        return self.record(what, api, version, self.read(on))

    def read(self, on: str) -> Any:
        _, api, version = self.waiting.pop(on)
        try:
            return self.connections[on].receive(api, version)
        except Unanswered as outcome:
            self.connections.pop(on).socket.close()
            return outcome

    def record(self, what: str, api: ApiKey, version: int, answer: Any) -> Any:
        step = f"{len(self.answers) + 1:03} {api.name} v{version}: {what}"
        unanswered = isinstance(answer, Unanswered)
        self.answers[step] = str(answer) if unanswered else self.labels.apply(describe(answer))
        return answer

    def raw(self, what: str, data: bytes) -> None:
        """A step of bytes on a connection of their own: recorded are correlation id and error code."""
        with Connection(self.bootstrap_servers) as connection:
            connection.socket.sendall(data)
            try:
                (size,) = struct.unpack(">i", connection.read(4))
                answer = connection.read(size)[:6].hex()
            except Unanswered as outcome:
                answer = str(outcome)
        self.answers[f"{len(self.answers) + 1:03} {what}"] = answer

    # -- preparations, which are not compared ------------------------------------------------------------------------
    def quietly(self, api: ApiKey, version: int, /, until: Callable[[Any], bool] | None = None, **fields: Any) -> Any:
        """A request whose answer is not recorded, asked again until it has no passing error and `until` holds."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            self.send("", api, version, on="preparation", **fields)
            answer = self.read("preparation")
            if not codes(answer) & PASSING and (until is None or until(answer)):
                return answer
            assert time.monotonic() < deadline, f"{api.name} goes on answering {answer}"
            time.sleep(0.02)

    def make_topic(self, name: str, partitions: int = 1, **configs: str) -> UUID:
        """Makes a topic and waits until it can be used; configs with underscores for dots. Records of any age stay."""
        given = {"retention.ms": "-1", **{key.replace("_", "."): value for key, value in configs.items()}}
        topic = {
            "name": name,
            "num_partitions": partitions,
            "replication_factor": 1,
            "assignments": [],
            "configs": [{"name": key, "value": value} for key, value in given.items()],
        }
        created = self.quietly(ApiKey.CREATE_TOPICS, 7, topics=[topic], timeout=10 * SECOND, validate_only=False)
        assert created.topics[0].error_code is ErrorCode.none, created
        return self.await_topic(name)

    def await_topic(self, name: str) -> UUID:
        """Waits until a topic can be used; its id."""
        self.quietly(
            ApiKey.LIST_OFFSETS,
            5,
            replica_id=-1,
            isolation_level=0,
            topics=[
                {"name": name, "partitions": [{"partition_index": 0, "current_leader_epoch": -1, "timestamp": -1}]}
            ],
            until=lambda answer: answer.topics[0].partitions[0].error_code is ErrorCode.none,
        )
        asked = self.quietly(
            ApiKey.METADATA,
            12,
            topics=[{"topic_id": None, "name": name}],
            allow_auto_topic_creation=False,
            until=lambda answer: answer.topics[0].error_code is ErrorCode.none,
        )
        identity = asked.topics[0].topic_id
        self.topic_ids[name] = identity
        self.labels.name(identity, f"id of {name}")
        return identity
