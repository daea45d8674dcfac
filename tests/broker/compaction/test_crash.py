"""The broker is killed (SIGKILL) again and again while it compacts: the table that the topic holds stays whole."""

from __future__ import annotations

import threading
from pathlib import Path

from confluent_kafka import Producer

from broker import Broker, BrokerOptions
from tests.broker.clients.test_compaction import COMPACTED, create, read
from tests.broker.waits import wait_for

KILLS = 4
KEYS = 50


def test_latest_values_survive_kill_9_in_the_midst_of_compaction(tmp_path: Path) -> None:
    """An idempotent producer goes on through the crashes; the last value of every key is there, the topic is small."""
    options = BrokerOptions(data=tmp_path / "data", cleaner_backoff_ms=1)
    with Broker(options=options) as broker:
        create(broker, "t", COMPACTED)
        failures: list[str] = []
        delivered = 0
        sent = 0
        stop = threading.Event()

        def note(error: object, _: object) -> None:
            nonlocal delivered
            delivered += 1
            if error is not None:
                failures.append(str(error))

        def load() -> None:
            nonlocal sent
            producer = Producer(
                {
                    "bootstrap.servers": broker.bootstrap_servers,
                    "enable.idempotence": True,
                    "linger.ms": 1,
                    "batch.num.messages": 50,
                    "reconnect.backoff.ms": 10,
                    "reconnect.backoff.max.ms": 50,
                    "retry.backoff.ms": 10,
                    "metadata.recovery.strategy": "none",
                    "log_level": 0,
                }
            )
            while not stop.is_set():
                for _ in range(50):
                    producer.produce("t", f"{sent}-" + "x" * 50, f"{sent % KEYS}", on_delivery=note)
                    sent += 1
                producer.poll(0)
                while sent - delivered > 1_000:
                    producer.poll(0.01)
            assert producer.flush(30) == 0

        thread = threading.Thread(target=load)
        thread.start()
        folder = tmp_path / "data" / "logs" / "t-0"
        for kill in range(KILLS):
            goal = delivered + 1_500
            wait_for(lambda goal=goal: delivered > goal, f"records before kill {kill}")
            wait_for(lambda: any(path.is_dir() for path in folder.iterdir()), "a compaction under way")
            broker.kill()
            broker.restart()
        stop.set()
        thread.join()
        assert failures == []
        found = read(broker, "t")
        assert {key: value for _, key, value in found} == {
            f"{number % KEYS}".encode(): f"{number}-".encode() + b"x" * 50 for number in range(sent - KEYS, sent)
        }
        assert all(value is not None and int(value.split(b"-")[0]) == offset for offset, _, value in found)
        wait_for(lambda: len(read(broker, "t")) < sent / 2, "compaction after the load")
