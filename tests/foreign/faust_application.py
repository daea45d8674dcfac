"""An unmodified Faust application on the bundled broker: tables, group_by, windows, workers that die.

    python -m tests.foreign.faust_application              two workers, one of them killed; then all killed
    python -m tests.foreign.faust_application --kafka      on Apache Kafka as well, and the outputs compared

What comes out is compared with what the orders make. A worker is killed (SIGKILL) when it has committed what it read,
because Faust counts again what it had not: then the other one takes over its partitions, and reads the tables back from
their changelogs. In the end all are killed, and a new one reads everything back. Orders come when the workers are ready
for them: README.md says why.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from tests.foreign.apache_kafka import apache_kafka
from tests.foreign.bundled import bundled_broker

PROGRAM = Path(__file__).with_name("faust_orders.py")
GROUP = "orders-app"
REPARTITION = "-repartition"
"""How the topics end that Faust makes for `group_by`."""
PARTITIONS = 4
HOUR = 3600
WAIT_S = 120.0
NOT_YET = (
    KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
    KafkaError.COORDINATOR_NOT_AVAILABLE,
    KafkaError.NOT_COORDINATOR,
    KafkaError.GROUP_ID_NOT_FOUND,
    KafkaError.NOT_LEADER_FOR_PARTITION,
    KafkaError.UNKNOWN_TOPIC_OR_PART,
)
"""What a new cluster says of a group or topic that is being made."""


@dataclass(frozen=True, slots=True)
class Order:
    id: str
    customer: str
    cents: int
    ts: float


def some_orders(count: int, seed: int = 7) -> list[Order]:
    """Of thirty customers over a few hours."""
    chance = random.Random(seed)
    return [
        Order(f"o{number}", f"c{chance.randrange(30)}", chance.randrange(10_000), 1_700_000_000 + number * 20.0)
        for number in range(count)
    ]


class Tally:
    """Of each customer orders and cents, and orders by hour: as orders make them, or as the program said last."""

    def __init__(self) -> None:
        self.customers: dict[str, tuple[int, int]] = {}
        self.hours: dict[tuple[str, int], int] = {}

    @classmethod
    def of(cls, orders: Sequence[Order]) -> Tally:
        tally = cls()
        for order in orders:
            count, cents = tally.customers.get(order.customer, (0, 0))
            tally.customers[order.customer] = (count + 1, cents + order.cents)
            hour = order.customer, int(order.ts // HOUR)
            tally.hours[hour] = tally.hours.get(hour, 0) + 1
        return tally

    def said(self, customer: str, words: Mapping[str, int]) -> None:
        self.customers[customer] = (words["count"], words["cents"])
        self.hours[customer, words["hour"]] = words["in_hour"]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Tally) and (self.customers, self.hours) == (other.customers, other.hours)

    def difference(self, truth: Tally) -> str:
        wrong = {
            customer: (self.customers.get(customer), right)
            for customer, right in truth.customers.items()
            if self.customers.get(customer) != right
        }
        hours = sum(self.hours.get(hour) != right for hour, right in truth.hours.items())
        return f"{len(wrong)} customers differ, {hours} windows; said and true: {dict(list(wrong.items())[:5])}"


class Cluster:
    """A log with the application's topics."""

    def __init__(self, servers: str) -> None:
        self.servers = servers
        self._admin = AdminClient({"bootstrap.servers": servers, "log_level": 0})
        self._producer = Producer(
            {"bootstrap.servers": servers, "partitioner": "murmur2_random", "enable.idempotence": True}
        )

    def create_topics(self) -> None:
        for made in self._admin.create_topics(
            [NewTopic(name, PARTITIONS, 1) for name in ("orders", "totals")]
        ).values():
            made.result(20)

    def produce(self, orders: Sequence[Order]) -> None:
        for order in orders:
            self._producer.produce("orders", json.dumps(asdict(order)), order.id)
        if self._producer.flush(30):
            raise RuntimeError("the broker did not take all orders")

    def said(self) -> Tally:
        """What the program has said by now."""
        consumer = Consumer({"bootstrap.servers": self.servers, "group.id": "look", "enable.partition.eof": True})
        consumer.assign([TopicPartition("totals", partition, 0) for partition in range(PARTITIONS)])
        tally, ended = Tally(), 0
        try:
            while ended < PARTITIONS:
                for message in consumer.consume(10_000, 0.5):
                    if message.error():
                        ended += 1
                    else:
                        tally.said(message.key().decode(), json.loads(message.value()))
        finally:
            consumer.close()
        return tally

    def settled(self, members: int) -> bool:
        """Whether the group has so many members, and all of them have partitions."""
        group = self._admin.describe_consumer_groups([GROUP])[GROUP].result(20)
        held = [member for member in group.members if member.assignment and member.assignment.topic_partitions]
        return group.state.name == "STABLE" and len(held) == len(group.members) == members

    def committed(self) -> bool:
        """Whether the group has committed all that is in the topics it reads."""
        topics = self._admin.list_topics(timeout=10).topics
        read = [topic for topic in topics if topic == "orders" or topic.endswith(REPARTITION)]
        places = [TopicPartition(topic, partition) for topic in read for partition in range(PARTITIONS)]
        consumer = Consumer({"bootstrap.servers": self.servers, "group.id": GROUP})
        try:
            offsets = {(place.topic, place.partition): place.offset for place in consumer.committed(places, 20)}
            ends = {(place.topic, place.partition): consumer.get_watermark_offsets(place, 10)[1] for place in places}
        finally:
            consumer.close()
        return len(read) == 2 and all(offsets[place] >= end for place, end in ends.items() if end > 0)


class Worker:
    """A Faust worker as a process, over a data directory of its own."""

    def __init__(self, servers: str, directory: Path) -> None:
        directory.mkdir(parents=True)
        self._log = directory / "faust.log"
        environment = {**os.environ, "BROKER": servers, "DATA": str(directory / "data")}
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, str(PROGRAM), "worker", "-l", "info", "--without-web"],
                env=environment,
                stdout=log,
                stderr=log,
            )

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def ready(self) -> bool:
        """Whether it has recovered its tables since it was last given partitions."""
        log = self._log.read_text()
        return log.rfind("Worker ready") > log.rfind("Setting newly assigned partitions")

    def check(self) -> None:
        if self._process.poll() is not None:
            raise RuntimeError(f"the Faust worker has ended:\n{self._log.read_text()[-3000:]}")


@contextmanager
def workers(servers: str, directory: Path, names: Sequence[str]) -> Iterator[list[Worker]]:
    """Killed at the end of the block."""
    running = [Worker(servers, directory / name) for name in names]
    try:
        yield running
    finally:
        for worker in running:
            worker.kill()


def wait_until(ready: Callable[[], bool], what: str, running: Sequence[Worker]) -> None:
    deadline = time.monotonic() + WAIT_S
    while True:
        for worker in running:
            worker.check()
        try:
            if ready():
                return
        except TimeoutError:  # a group whose coordinator is not known yet is asked about for ever
            pass
        except KafkaException as error:
            if not error.args[0].retriable() and error.args[0].code() not in NOT_YET:
                raise
        if time.monotonic() > deadline:
            raise RuntimeError(f"in {WAIT_S:.0f} s not {what}")
        time.sleep(0.1)


def wait_for(cluster: Cluster, truth: Tally, running: Sequence[Worker]) -> Tally:
    """What the program says in the end. Raises RuntimeError where it is not the truth."""
    try:
        wait_until(lambda: cluster.said() == truth, "said", running)
        wait_until(cluster.committed, "committed", running)
    except RuntimeError as error:
        raise RuntimeError(f"{error}: {cluster.said().difference(truth)}") from error
    return cluster.said()


def play(servers: str, directory: Path, orders: Sequence[Order], *, together: int) -> Tally:
    """A third of the orders with that many workers, a third with one fewer, or a new one, the rest with a new one that
    has no state of its own. What was said in the end. Raises RuntimeError where something else is said than is true."""
    cluster = Cluster(servers)
    cluster.create_topics()
    first, second = len(orders) // 3, 2 * len(orders) // 3
    with workers(servers, directory, [f"worker-{number}" for number in range(together)]) as running:
        send(cluster, orders[:first], running)
        wait_for(cluster, Tally.of(orders[:first]), running)
        if together > 1:
            running.pop().kill()
            send(cluster, orders[first:second], running)
            wait_for(cluster, Tally.of(orders[:second]), running)
    with workers(servers, directory, ["worker-new"]) as running:
        send(cluster, orders[first if together == 1 else second :], running)
        return wait_for(cluster, Tally.of(orders), running)


def send(cluster: Cluster, orders: Sequence[Order], running: Sequence[Worker]) -> None:
    """Sends orders when the workers are the whole group, and ready."""

    def ready() -> bool:
        return cluster.settled(len(running)) and all(worker.ready() for worker in running)

    wait_until(ready, f"a group of {len(running)}", running)
    cluster.produce(orders)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="tests.foreign.faust_application", description="Faust on the broker.")
    parser.add_argument("--orders", type=int, default=3_000, help="how many (default: %(default)s)")
    parser.add_argument("--kafka", action="store_true", help="compare with Apache Kafka")
    chosen = parser.parse_args(arguments)
    orders = some_orders(chosen.orders)
    found: list[Tally] = []
    for make in (bundled_broker, apache_kafka) if chosen.kafka else (bundled_broker,):
        with make() as broker, tempfile.TemporaryDirectory() as directory:
            started = time.monotonic()
            found.append(play(broker.bootstrap_servers, Path(directory), orders, together=2))
            print(f"{type(broker).__name__}: as it should be, in {time.monotonic() - started:.1f} s", flush=True)
    if any(tally != found[0] for tally in found):
        print("the outputs differ")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
