"""Kills the broker again and again under transactional and idempotent load, and checks what its clients were told.

    python -m tests.soak.broker --kills 200 --seed 1

Clients are librdkafka as it is. Transactional workers write to all partitions and move a group's offset in one
transaction, commit or abort, and after each unknown outcome go by the offset, as an exactly-once application does.
Beside them an idempotent producer writes, a group commits plain offsets, and readers watch: read_committed records as
they come, and committed offsets, which must never go back. A compacted topic is written, topics come and go, configs
change, records are deleted (`broker_chores`); an administrator sets configs, quotas, credentials and ACLs
(`broker_administration`); members of consumer groups read (`broker_group`) and compare what they were told with what
the broker knows (`broker_members`). In the end every partition holds exactly what was
acknowledged, in order and once; the reader has seen just that; no transaction is left open.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from broker import Broker
from broker.options import BrokerOptions
from tests.broker.transactions.clients import QUICK
from tests.broker.waits import wait_for
from tests.soak.broker_administration import Administration
from tests.soak.broker_chores import Chore, Purge, Table, Topics, patiently
from tests.soak.broker_group import Sharing
from tests.soak.broker_members import Members
from tests.soak.broker_topics import IN, OUT, PARTITIONS, PLAIN, SHARED, WORKERS
from tests.soak.broker_worker import Worker

PATIENCE_S = 30.0


CHORES: tuple[type[Chore], ...] = (Table, Topics, Purge, Administration, Members, Sharing)


class BrokerSoak:
    """One run. Threads write to their own lists; what failed in them is raised by `run`."""

    def __init__(
        self,
        data: Path,
        *,
        seed: int,
        fsync: Literal["always", "never"] = "never",
    ) -> None:
        self.random = random.Random(seed)
        self.seed = seed
        self.broker = Broker(
            options=BrokerOptions(
                data=data,
                fsync=fsync,
                topic_defaults={"segment.bytes": "50000"},
                cleaner_backoff_ms=200,
                authorizer=True,
                super_users=("User:ANONYMOUS",),
            )
        )
        self.stop_writing = threading.Event()
        self.stop_watching = threading.Event()
        self.failures: list[BaseException] = []
        self.chores: list[Chore] = [chore(self) for chore in CHORES]
        self.workers = [Worker(self, number) for number in range(WORKERS)]
        self.acknowledged: list[list[int]] = [[] for _ in range(PARTITIONS)]
        self.sent = [0] * PARTITIONS
        self.seen: list[list[str]] = [[] for _ in range(PARTITIONS)]
        """What the read_committed reader saw while the broker was killed."""
        self.offsets_seen = 0
        self.plain_offset = 0

    # -- run ---------------------------------------------------------------------------------------------------------
    def run(self, kills: int, progress: Callable[[str], None] = lambda line: None) -> None:
        """Raises AssertionError where something was lost, doubled, or seen that must not be."""
        with self.broker:
            admin = AdminClient(self.settings())
            topics = [NewTopic(name, count) for name, count in SHARED.items()]
            for future in admin.create_topics(topics).values():
                future.result(10)
            writers = [self.thread(worker.run) for worker in self.workers]
            writers += [self.thread(self.write_plain), self.thread(self.commit_plain)]
            writers += [self.thread(chore.run) for chore in self.chores if not chore.watches]
            watchers = [self.thread(self.read_out), self.thread(self.watch_offsets)]
            watchers += [self.thread(chore.run) for chore in self.chores if chore.watches]
            try:
                for kill in range(1, kills + 1):
                    self.wait_for_progress(kill)
                    time.sleep(self.random.uniform(0, 0.15))  # the moment of death is the test, not a synchronisation
                    self.broker.kill()
                    self.broker.restart()
                    if kill % 10 == 0:
                        progress(f"{kill} kills, {self.transactions} transactions")
                self.wait_for_progress(kills + 1)
            finally:
                self.stop_writing.set()
                for thread in writers:
                    thread.join(2 * PATIENCE_S)
                try:
                    if not self.failures:
                        wait_for(self.readers_are_done, "the readers to come to the end", seconds=PATIENCE_S)
                finally:
                    self.stop_watching.set()
                    for thread in watchers:
                        thread.join(PATIENCE_S)
            self.raise_failures()
            self.check()
            for chore in self.chores:
                chore.check()

    def thread(self, target: Callable[..., None], *arguments: object) -> threading.Thread:
        def guarded() -> None:
            try:
                target(*arguments)
            except BaseException as error:
                self.failures.append(error)

        thread = threading.Thread(target=guarded, name=target.__name__, daemon=True)
        thread.start()
        return thread

    def raise_failures(self) -> None:
        if self.failures:
            raise AssertionError(f"seed {self.seed}: a client failed") from self.failures[0]

    def wait_for_progress(self, kill: int) -> None:
        """Until every worker has committed since the last kill, the plain writers have gone on, and the chores that
        compare what was acknowledged have done so."""
        goals = [len(worker.committed) + 1 for worker in self.workers]
        plain = min(map(len, self.acknowledged)) + 1
        rounds = {chore: chore.rounds + 2 for chore in self.chores if chore.paced}  # one may be under way

        def moved() -> bool:
            self.raise_failures()
            return (
                all(len(worker.committed) >= goal for worker, goal in zip(self.workers, goals))
                and min(map(len, self.acknowledged)) >= plain
                and all(chore.rounds >= goal for chore, goal in rounds.items())
            )

        wait_for(moved, f"progress before kill {kill} (seed {self.seed})", seconds=PATIENCE_S)

    @property
    def transactions(self) -> int:
        return sum(len(worker.committed) for worker in self.workers)

    def settings(self, **more: object) -> dict[str, Any]:
        names = {name.replace("_", "."): value for name, value in more.items()}
        return {"bootstrap.servers": self.broker.bootstrap_servers, **QUICK, **names}

    # -- writers -----------------------------------------------------------------------------------------------------
    def write_plain(self) -> None:
        """An idempotent producer: numbers in order, in each partition."""
        producer = Producer(self.settings(enable_idempotence=True, linger_ms=1))

        def delivered(error: KafkaError | None, message: Any) -> None:
            assert error is None, error
            self.acknowledged[message.partition()].append(int(message.value()))

        while not self.stop_writing.is_set():
            for partition in range(PARTITIONS):
                producer.produce(PLAIN, str(self.sent[partition]), partition=partition, on_delivery=delivered)
                self.sent[partition] += 1
            producer.poll(0.02)
        assert producer.flush(PATIENCE_S) == 0

    def commit_plain(self) -> None:
        """A group's offsets outside of transactions."""
        consumer = Consumer(self.settings(group_id="plain"))
        while not self.stop_writing.is_set():
            following = [TopicPartition(PLAIN, 0, self.plain_offset + 1)]
            patiently(lambda following=following: consumer.commit(offsets=following, asynchronous=False))
            self.plain_offset += 1
        consumer.close()

    # -- watchers ----------------------------------------------------------------------------------------------------
    def read_out(self) -> None:
        consumer = Consumer(self.settings(group_id="none", isolation_level="read_committed", check_crcs=True))
        consumer.assign([TopicPartition(OUT, partition, OFFSET_BEGINNING) for partition in range(PARTITIONS)])
        last = [-1] * PARTITIONS
        while not self.stop_watching.is_set():
            for message in consumer.consume(500, 0.1):
                if message.error() is not None:
                    continue  # the broker is down
                partition, value, offset = message.partition(), message.value(), message.offset()
                assert value is not None
                assert partition is not None
                assert offset is not None
                assert offset > last[partition], f"offset {offset} came after {last[partition]}"
                last[partition] = offset
                self.seen[partition].append(value.decode())
        consumer.close()

    def readers_are_done(self) -> bool:
        expected = sum(len(values) for worker in self.workers for values in worker.values())
        seen = sum(map(len, self.seen)) >= expected and all(chore.is_done() for chore in self.chores)
        return self.failures != [] or seen

    def watch_offsets(self) -> None:
        """Committed offsets never go back, for those who wait for transactions and for those who do not."""
        readers = [
            Consumer(self.settings(group_id=f"group-{worker}", isolation_level=level))
            for worker in range(WORKERS)
            for level in ("read_committed", "read_uncommitted")
        ]
        plain = Consumer(self.settings(group_id="plain"))
        highest: dict[int, int] = defaultdict(int)
        while not self.stop_watching.wait(0.02):
            for number, reader in enumerate(readers):
                offset = self.look(reader, TopicPartition(IN, number // 2))
                if offset is not None:
                    assert offset >= highest[number], f"offset went back from {highest[number]} to {offset}"
                    highest[number] = offset
            acknowledged = self.plain_offset
            offset = self.look(plain, TopicPartition(PLAIN, 0))
            assert offset is None or offset >= acknowledged, f"offset {offset} where {acknowledged} was acknowledged"
        for reader in (*readers, plain):
            reader.close()

    def look(self, reader: Consumer, at: TopicPartition) -> int | None:
        """The committed offset, or None while the broker is down or a transaction is open."""
        try:
            (found,) = reader.committed([at], timeout=1)
        except KafkaException:
            return None
        self.offsets_seen += 1
        return max(found.offset, 0)

    # -- the end -----------------------------------------------------------------------------------------------------
    def check(self) -> None:
        """What the broker holds against what its clients were told."""
        found, stable_ends = self.read(OUT, "read_committed")
        _, ends = self.read(OUT, "read_uncommitted")
        assert stable_ends == ends, "a transaction was left open"
        assert self.seen == found, "the reader saw something else than there is"
        for worker in self.workers:
            own = [[value for value in values if value.startswith(f"{worker.number}:")] for values in found]
            assert own == worker.values(), f"worker {worker.number}"
        everything = [[str(number) for number in range(count)] for count in self.sent]
        assert self.read(PLAIN, "read_committed")[0] == everything
        assert [[str(number) for number in numbers] for numbers in self.acknowledged] == everything
        assert self.offsets_seen > 0

    def read(self, topic: str, level: str) -> tuple[list[list[str]], list[int]]:
        """The values of a topic's partitions as a new consumer sees them, and the ends it is told."""
        consumer = Consumer(
            self.settings(group_id="none", isolation_level=level, enable_partition_eof=True, fetch_wait_max_ms=10)
        )
        places = [TopicPartition(topic, partition, OFFSET_BEGINNING) for partition in range(PARTITIONS)]
        consumer.assign(places)
        values: list[list[str]] = [[] for _ in places]
        missing = set(range(PARTITIONS))
        while missing:
            message = consumer.poll(PATIENCE_S)
            assert message is not None, f"neither a record nor the end of {topic}-{missing}"
            partition, value = message.partition(), message.value()
            assert partition is not None
            if message.error() is not None:
                missing.discard(partition)
            else:
                assert value is not None
                values[partition].append(value.decode())
        ends = [consumer.get_watermark_offsets(at, 10)[1] for at in places]
        consumer.close()
        return values, ends


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.soak.broker", description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--fsync", choices=["always", "never"], default="never")
    options = parser.parse_args(arguments)
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="broker-soak-") as directory:
        soak = BrokerSoak(Path(directory) / "data", seed=options.seed, fsync=options.fsync)
        soak.run(options.kills, progress=lambda line: print(f"{time.monotonic() - start:6.0f} s  {line}", flush=True))
    print(
        f"{options.kills} kills in {time.monotonic() - start:.0f} s: {soak.transactions} transactions committed of "
        f"{sum(worker.attempts for worker in soak.workers)}, {sum(soak.sent)} plain records, {soak.plain_offset} plain "
        f"commits, "
        f"{soak.offsets_seen} looks at offsets, "
        + "".join(f"{chore.rounds} rounds of {type(chore).__name__.lower()}, " for chore in soak.chores)
        + "nothing lost, nothing doubled"
    )
    for chore in soak.chores:
        if chore.events:
            print(f"{type(chore).__name__.lower()}: " + ", ".join(f"{n} {what}" for what, n in chore.events.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
