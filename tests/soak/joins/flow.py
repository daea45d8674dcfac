"""Joins, sessions, final results and foreign keys: the job of the joins flow."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import msgspec
from confluent_kafka import Message, Producer

from streams.cli.clients import admin_at
from streams.discovery import locate_broker
from tests.broker.waits import wait_for
from tests.integration.worker_fleet import RunningBroker, WorkerFleet
from tests.soak.joins.comparison import OUTPUTS, Comparison, Shown
from tests.soak.joins.events import PARTITIONS, STREAMS, TABLES, make_input
from tests.soak.joins.topology import app
from tests.soak.output_reader import OutputReader
from tests.soak.state import state_differences
from tests.soak.verdict import OutputCheck

KEEP_ALL = {"retention.ms": "-1"}
TIMEOUT_S = 60.0


class JoinsFlow:
    name = "joins"
    outputs = OUTPUTS
    partitions = PARTITIONS

    def __init__(
        self, broker: RunningBroker, directory: Path, *, faults: int, seed: int, per_fault: int = 1_000
    ) -> None:
        """`seed`: of the input."""
        self._input = make_input(seed, (faults + 1) * per_fault)
        self.per_fault = per_fault
        self.length = len(self._input)
        self._scratch = directory / "restored"
        servers = broker.bootstrap_servers
        admin = admin_at(locate_broker(servers))
        for topic in (*STREAMS, *TABLES, *OUTPUTS):
            admin.create_topic(topic, partitions=PARTITIONS, configs=KEEP_ALL)
        self.fleet = WorkerFleet("tests.soak.joins.topology:app", broker, directory)
        self._producer = Producer(
            {"bootstrap.servers": servers, "enable.idempotence": True, "linger.ms": 5, "log_level": 0}
        )
        self._shown: dict[tuple[str, int], list[Shown]] = defaultdict(list)
        self._comparison = Comparison(self._input)
        self._reader = OutputReader(servers, OUTPUTS, PARTITIONS, self._take)

    # -- while it runs -----------------------------------------------------------------------------------------------
    def send(self, start: int, end: int) -> None:
        for record in self._input[start:end]:
            self._producer.produce(record.topic, record.encoded, record.key, record.partition, timestamp=record.ts)
        self._producer.poll(0)

    def progress(self) -> str:
        return f"{sum(map(len, self._shown.values())):,} results"

    def finished(self) -> bool:
        assert self._producer.flush(TIMEOUT_S) == 0, "the input did not get to the broker"
        return self._reader.finished(lambda: all(check.exact for check in self._comparison.checks(self._shown)))

    # -- the end -----------------------------------------------------------------------------------------------------
    def checks(self) -> list[OutputCheck]:
        wait_for(self._reader.at_end, "the outputs read to their ends", seconds=TIMEOUT_S)
        return self._comparison.checks(self._shown)

    def findings(self) -> list[str]:
        """Stores that are not as their changelogs."""
        plan = app.plan().partitions(dict.fromkeys((*STREAMS, *TABLES), PARTITIONS))
        directories = [disk / "soak-joins" for disk in self.fleet.state_dirs]
        return state_differences(self.fleet.broker.bootstrap_servers, plan, directories, self._scratch)

    def close(self) -> None:
        self.fleet.close()
        self._reader.close()

    def _take(self, messages: list[Message]) -> None:
        for message in messages:
            topic, partition, key, value = message.topic(), message.partition(), message.key(), message.value()
            assert topic is not None
            assert partition is not None
            assert isinstance(key, bytes)
            told = None if value is None else msgspec.json.decode(value)
            self._shown[topic, partition].append((key.decode(), told, message.timestamp()[1]))
