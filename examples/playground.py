"""What the examples are played on: a broker of their own, their data on its topics, and their applications beside it.

    with Playground(app) as playground:
        playground.feed(events())
        playground.run()
        alerts = playground.read("alerts", Alert)

An application in production has none of this around it: its broker is there, its topics fill by themselves, and
`headrace worker` keeps it running.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing
from tempfile import TemporaryDirectory
from typing import Any, Self

import msgspec
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic, OffsetSpec

from broker import Broker
from examples.event import Event
from streams import App

LOOK_EVERY_S = 0.02
PATIENCE_S = 60.0
NOT_YET = (
    KafkaError.LEADER_NOT_AVAILABLE,
    KafkaError.NOT_LEADER_FOR_PARTITION,
    KafkaError.UNKNOWN_TOPIC_OR_PART,
    KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
    KafkaError.COORDINATOR_NOT_AVAILABLE,
    KafkaError.NOT_COORDINATOR,
)
"""What a Kafka cluster says for a moment of a topic or group that is new."""

Place = tuple[str, int]
"""A topic's partition."""


class Playground:
    """Runs applications in this process until they have nothing left to do.

    Args:
        apps: what is to run.
        partitions: of each topic.
        bootstrap_servers: a broker that is there already; without one the bundled broker is started, and ends with the
            playground.
    """

    def __init__(self, *apps: App, partitions: int = 1, bootstrap_servers: str | None = None) -> None:
        self.apps = apps
        self.partitions = partitions
        self.bootstrap_servers = bootstrap_servers
        self._things = ExitStack()
        self._running: list[Future[None]] = []
        self._inputs = {
            app.settings.application_id: {source.topic for part in app.plan().subtopologies for source in part.sources}
            for app in apps
        }

    def __enter__(self) -> Self:
        with ExitStack() as things:  # closed again in reverse order: the applications end before their broker does
            if self.bootstrap_servers is None:
                self.bootstrap_servers = things.enter_context(Broker()).bootstrap_servers
            self._client = {"bootstrap.servers": self.bootstrap_servers, "log_level": 0}
            self._admin = AdminClient(self._client)
            self._state_dir = things.enter_context(TemporaryDirectory(prefix="headrace-example-"))
            self._threads = things.enter_context(ThreadPoolExecutor(max_workers=len(self.apps)))
            self._groups = {name: self._group(name, things) for name in self._inputs}
            self._create_topics({topic for app in self.apps for topic in app.plan().source_topics()})
            self._things = things.pop_all()
        return self

    def __exit__(self, *exc: object) -> None:
        self._things.close()

    def feed(self, events: Iterable[Event]) -> int:
        """Puts events onto their topics, strings as they are and all else as JSON; returns how many there were."""
        producer = Producer(
            {
                **self._client,
                # Kafka's choice of a key's partition. librdkafka has another by default, with which joins find nothing.
                "partitioner": "murmur2_random",
            }
        )
        fed = 0
        for event in events:
            producer.produce(event.topic, _written(event.value), _written(event.key), timestamp=event.timestamp)
            fed += 1
        if producer.flush(PATIENCE_S):
            raise TimeoutError("the broker did not take all events")
        return fed

    def run(self) -> float:
        """Runs the applications until everything that was fed is processed, and all that came of it; returns the
        seconds that took. They stay up until the block ends, so that their stores can be asked."""
        began = time.monotonic()
        if not self._running:
            for app in self.apps:
                worker = app.worker(bootstrap_servers=self.bootstrap_servers, state_dir=self._state_dir)
                self._running.append(self._threads.submit(worker.run))
                self._things.callback(worker.stop)
        while self._is_busy():
            for running in self._running:
                if running.done():
                    running.result()  # raises what the worker has failed with
            if time.monotonic() - began > PATIENCE_S:
                raise TimeoutError(f"the applications have not come to the end in {PATIENCE_S:.0f} s")
            time.sleep(LOOK_EVERY_S)
        return time.monotonic() - began

    def read(self, topic: str, value: Any, key: Callable[[bytes], Any] = bytes.decode) -> list[Event]:
        """What is on a topic of JSON values of this type, partition by partition, without what aborted transactions
        wrote there. `key` makes something of a key's bytes."""
        consumer = Consumer(
            {
                **self._client,
                "group.id": "playground",
                "isolation.level": "read_committed",
                "enable.partition.eof": True,
            }
        )
        decode = msgspec.json.Decoder(value).decode
        found: list[Event] = []
        with closing(consumer):
            ends = self._ends({topic})
            left = {partition for _, partition in ends}
            consumer.assign([TopicPartition(topic, partition, 0) for partition in left])
            while left:
                (message,) = consumer.consume(1, PATIENCE_S)
                error = message.error()
                if error is not None:
                    if error.code() != KafkaError._PARTITION_EOF:
                        raise KafkaException(error)
                    # A Kafka cluster answers a commit before all partitions know of it: readers wait at its records.
                    if message.offset() >= ends[topic, message.partition()]:
                        left.discard(message.partition())
                    continue
                name, data = message.key(), message.value()
                found.append(Event(topic, name and key(name), data and decode(data), message.timestamp()[1]))
        return found

    def _create_topics(self, names: set[str]) -> None:
        topics = [NewTopic(name, self.partitions) for name in sorted(names)]
        for created in self._admin.create_topics(topics).values():
            created.result(PATIENCE_S)

    def _is_busy(self) -> bool:
        try:
            return not self._is_quiet()
        except KafkaException as error:
            if error.args[0].code() in NOT_YET:
                return True
            raise

    def _is_quiet(self) -> bool:
        """Whether each application has committed all of its inputs, repartition topics included, up to their ends.

        What comes of a record is committed together with its offset. So if the ends are the same before and after the
        look at the offsets, nothing is on its way from one application to another either.
        """
        inputs = set[str]().union(*self._inputs.values())
        ends = self._ends(inputs)
        for application_id, topics in self._inputs.items():
            committed = self._committed(application_id, [place for place in ends if place[0] in topics])
            if any(offset < ends[place] for place, offset in committed.items()):
                return False
        return ends == self._ends(inputs)

    def _places(self, topics: set[str]) -> list[Place]:
        known = self._admin.list_topics(timeout=PATIENCE_S).topics
        return [(topic, partition) for topic in topics & known.keys() for partition in known[topic].partitions]

    def _ends(self, topics: set[str]) -> dict[Place, int]:
        """The offset behind the last record of each partition."""
        places = self._places(topics)
        asked = self._admin.list_offsets({TopicPartition(*place): OffsetSpec.latest() for place in places})
        return {(place.topic, place.partition): found.result(PATIENCE_S).offset for place, found in asked.items()}

    def _group(self, application_id: str, things: ExitStack) -> Consumer:
        """Who asks what a group has committed, and does not join it. (Not the admin client: librdkafka 2.16 ends the
        process where a cluster is still looking for the group's coordinator.)"""
        consumer = Consumer({**self._client, "group.id": application_id, "isolation.level": "read_uncommitted"})
        things.callback(consumer.close)
        return consumer

    def _committed(self, application_id: str, places: list[Place]) -> dict[Place, int]:
        """How far an application is, 0 where it has not begun: the group of its workers has its name."""
        asked = self._groups[application_id].committed([TopicPartition(*place) for place in places], PATIENCE_S)
        return {(place.topic, place.partition): max(0, place.offset) for place in asked}


def _written(part: Any) -> str | bytes | None:
    return part if isinstance(part, str | None) else msgspec.json.encode(part)
