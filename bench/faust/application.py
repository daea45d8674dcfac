"""The application of the programs here, and the events."""

from __future__ import annotations

from pathlib import Path

import faust


class Event(faust.Record, serializer="json"):
    user: str
    amount: float
    ts: int


class User(faust.Record, serializer="json"):
    name: str
    city: str


def application(bootstrap_servers: str, group: str, state: str) -> faust.App:
    """With tables in RocksDB, and a commit a second."""
    Path(state).mkdir(parents=True, exist_ok=True)
    return faust.App(
        group,
        broker=f"kafka://{bootstrap_servers}",
        store="rocksdb://",
        datadir=state,
        topic_partitions=4,
        topic_replication_factor=1,
        consumer_auto_offset_reset="earliest",
        broker_commit_interval=1.0,
        producer_linger=0.05,
        web_enabled=False,
    )


def run(app: faust.App) -> None:
    faust.Worker(app, loglevel="warn").execute_from_commandline()
