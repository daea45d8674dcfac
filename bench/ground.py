"""The brokers that programs run on: the same one for all that are compared."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from bench.apache_kafka import ApacheKafka
from bench.broker.contenders import Bundled

START_S = 30.0


@dataclass(frozen=True, slots=True)
class Ground:
    name: str
    """`kafka`, `bundled`, or what was named."""
    bootstrap_servers: str
    pid: int | None
    """Of its process, where it is ours."""


@contextmanager
def grounds(choice: str | None) -> Iterator[list[Ground]]:
    """The brokers that run for as long as it is open; the first is the one for comparisons.

    `choice` is `kafka`, `bundled`, `both` (Apache Kafka first, if it can run here), or `host:port[,…]` of a cluster.
    None: Apache Kafka where Java and its jars are, else the bundled one. Raises SystemExit where Apache Kafka was asked
    for and is not here.
    """
    if choice is not None and ":" in choice:
        yield [Ground(choice, choice, None)]
        return
    missing = ApacheKafka.missing()
    if missing and choice == "kafka":
        raise SystemExit(f"without Apache Kafka: {missing}")
    if missing:
        print(f"without Apache Kafka: {missing}")
    with ExitStack() as stack:
        found: list[Ground] = []
        if missing is None and choice != "bundled":
            kafka = stack.enter_context(ApacheKafka())
            found.append(Ground("kafka", kafka.bootstrap_servers, kafka.pid))
        if choice in ("bundled", "both") or not found:
            bundled = Bundled()
            stack.callback(bundled.close)
            bundled.spawn()
            wait_for(bundled.bootstrap_servers)
            found.append(Ground("bundled", bundled.bootstrap_servers, bundled.pid))
        yield found


def wait_for(bootstrap_servers: str) -> None:
    """Returns when the broker answers."""
    admin = AdminClient({"bootstrap.servers": bootstrap_servers, "log_level": 0})
    deadline = time.monotonic() + START_S
    while True:
        try:
            admin.list_topics(timeout=1)
            return
        except KafkaException:
            if time.monotonic() > deadline:
                raise
