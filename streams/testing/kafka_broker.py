"""`KafkaBroker`: the log that a test runs on, the bundled broker or a Kafka cluster."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta
from types import TracebackType
from typing import Any

from confluent_kafka import admin

from broker import Broker
from streams.errors import ConfigError
from streams.serde import serde_for
from streams.testing.live_topics import DEADLINE_S, LiveOutputTopic, LivePipe
from streams.testing.topics import InputTopic

KAFKA: Any = vars(admin)  # its names are not typed


class KafkaBroker:
    """The bundled broker, started for the test and gone with it; or a cluster, on which the topics that the test made
    and those of its applications are deleted at the end.

    Attributes:
        bootstrap_servers: for clients.
        bundled: the bundled broker itself, to restart or kill it; None on a cluster.
    """

    def __init__(self, bootstrap_servers: str | None = None) -> None:
        """Args: bootstrap_servers: a cluster's; None starts the bundled broker. Raises BrokerError."""
        self._open = ExitStack()
        self.bundled = None if bootstrap_servers else self._open.enter_context(Broker())
        self.bootstrap_servers = bootstrap_servers or (self.bundled.bootstrap_servers if self.bundled else "")
        self.client = {"bootstrap.servers": self.bootstrap_servers, "log_level": 0}
        self._admin: Any = KAFKA["AdminClient"](self.client)
        self._made: set[str] = set()
        self._pipe: LivePipe | None = None

    def __repr__(self) -> str:
        return f"KafkaBroker({self.bootstrap_servers!r})"

    def topics(self) -> dict[str, int]:
        """Topic -> number of partitions."""
        found = self._admin.list_topics(timeout=DEADLINE_S).topics
        return {name: len(found[name].partitions) for name in sorted(found)}

    def create_topics(self, *names: str, partitions: int = 1, **configs: str) -> None:
        """Makes topics, those that are not there yet. `configs` are Kafka's, with `_` for `.`.

        Raises ConfigError with the log's words if it refuses.
        """
        there = self.topics()
        settings = {name.replace("_", "."): value for name, value in configs.items()}
        new = [
            KAFKA["NewTopic"](name, num_partitions=partitions, config=settings) for name in names if name not in there
        ]
        futures: dict[str, Any] = self._admin.create_topics(new) if new else {}
        for name, future in futures.items():
            try:
                future.result(DEADLINE_S)
            except Exception as error:
                raise ConfigError(f"topic {name!r} cannot be created: {error}") from error
            self._made.add(name)

    def input_topic(
        self, name: str, *, key: Any = str, value: Any = Any, advance: timedelta = timedelta(0)
    ) -> InputTopic:
        """A handle that writes records of these types to a topic, as the test driver's does."""
        self._pipe = self._pipe or LivePipe(self.client)
        return InputTopic(name, serde_for(key, role="key"), serde_for(value, role="value"), self._pipe, advance)

    def output_topic(
        self, name: str, *, key: Any = str, value: Any = Any, check: Callable[[], None] = lambda: None
    ) -> LiveOutputTopic:
        """A handle that reads a topic from its beginning and waits for what is still to come."""
        topic = LiveOutputTopic(name, serde_for(key, role="key"), serde_for(value, role="value"), self.client, check)
        self._open.callback(topic.close)
        return topic

    def belongs_to_test(self, application_id: str) -> None:
        """The application's internal topics and its group are to go with the test."""
        self._made.add(f"{application_id}-")

    def close(self) -> None:
        if self.bundled is None:
            self._clear()
        self._open.close()

    def __enter__(self) -> KafkaBroker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _clear(self) -> None:
        """Deletes what the test left on the cluster; what cannot be deleted is left."""
        prefixes = tuple(name for name in self._made if name.endswith("-"))
        doomed = [name for name in self.topics() if name in self._made or (prefixes and name.startswith(prefixes))]
        groups = [prefix.removesuffix("-") for prefix in prefixes]
        going: list[dict[str, Any]] = [
            self._admin.delete_topics(doomed) if doomed else {},
            self._admin.delete_consumer_groups(groups) if groups else {},
        ]
        for futures in going:
            for future in futures.values():
                future.exception(DEADLINE_S)
