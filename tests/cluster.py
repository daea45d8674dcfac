"""Where tests run: on the bundled broker, or on the cluster that `--bootstrap-servers` names.

The cluster has to be the tests' own, because fixed names are deleted from it, and they have to run one after the other
(`-n 0`). Only the tests of what any cluster does run there: those that take its address from a fixture named in
`CHOSEN`. Apache Kafka 4.3.1 passes them with `SETTINGS`.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from types import MappingProxyType

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from broker import Broker
from broker.options import BrokerOptions

VARIABLE = "HEADRACE_TEST_BOOTSTRAP_SERVERS"
CHOSEN = frozenset({"bootstrap_servers", "servers", "cluster", "kafka_broker"})
RETENTION_CHECK_MS = 86_400_000
"""Records of tests are of 1970: topics keep them for as long as nobody looks for what is too old."""
SETTINGS: Mapping[str, str] = MappingProxyType(
    {
        "log.retention.check.interval.ms": str(RETENTION_CHECK_MS),
        "log.initial.task.delay.ms": str(RETENTION_CHECK_MS),
        "group.min.session.timeout.ms": "500",
        "group.consumer.min.session.timeout.ms": "1000",
        "group.consumer.min.heartbeat.interval.ms": "100",
        "group.consumer.assignment.interval.ms": "0",
    }
)
"""What the tests need of Apache Kafka beside `group.initial.rebalance.delay.ms=0`, to keep records and to be quick."""
PATIENCE_S = 30.0


def elsewhere() -> str:
    """Bootstrap servers of the cluster; empty: the bundled broker. The option sets it before tests are collected."""
    return os.environ.get(VARIABLE, "")


@contextmanager
def any_cluster(options: BrokerOptions | None = None) -> Iterator[str]:
    """Bootstrap servers. `options`: of the bundled broker."""
    if servers := elsewhere():
        yield servers
    else:
        with Broker(options=replace(options or BrokerOptions(), retention_check_ms=RETENTION_CHECK_MS)) as broker:
            yield broker.bootstrap_servers


@dataclass(frozen=True, slots=True)
class Cluster:
    bootstrap_servers: str


@contextmanager
def empty_cluster() -> Iterator[Cluster]:
    """One without topics and groups, and without topics again at the end: for tests with fixed names for theirs."""
    with any_cluster() as servers:
        if not elsewhere():
            yield Cluster(servers)
            return
        clear(servers)
        try:
            yield Cluster(servers)
        finally:
            clear(servers, groups_too=False)  # killed members are known until their sessions have ended


def clear(servers: str, *, groups_too: bool = True) -> None:
    """Deletes all topics but internal ones, and all groups, which nobody may be in."""
    admin = AdminClient({"bootstrap.servers": servers, "log_level": 0})
    deadline = time.monotonic() + PATIENCE_S
    while True:
        topics = [name for name in admin.list_topics(timeout=10).topics if not name.startswith("__")]
        groups = [group.group_id for group in admin.list_consumer_groups().result(10).valid] if groups_too else []
        if not topics and not groups:
            return
        assert time.monotonic() < deadline, f"cannot delete {topics}, {groups}"
        futures = [
            *(admin.delete_topics(topics).values() if topics else ()),
            *(admin.delete_consumer_groups(groups).values() if groups else ()),
        ]
        for future in futures:
            try:
                future.result(10)
            except KafkaException:
                time.sleep(0.1)  # gone by now, or a member of the last test is still known: looked at again
