"""Metrics of stores. Source: `stream-state-metrics`: RocksDB's properties of KIP-607, and suppression buffers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from streams.observe.metric import Group, Labels, Metric, Scope
from streams.observe.metrics.tasks import tasks
from streams.observe.reading import StandbyReading, StoreReading, WorkerReading


class Property(NamedTuple):
    """A property of RocksDB, by its name without `rocksdb.`."""

    name: str
    unit: str
    text: str


PROPERTIES = (
    Property("estimate-num-keys", "rows", "Rows on disk and in memtables, estimated."),
    Property("live-sst-files-size", "bytes", "Size of the files that belong to the newest version."),
    Property("total-sst-files-size", "bytes", "Size of all files."),
    Property("num-live-versions", "versions", "Versions of the files in use; many are kept alive by long scans."),
    Property("cur-size-active-mem-table", "bytes", "Size of the memtable that is written."),
    Property("cur-size-all-mem-tables", "bytes", "Size of the memtables that are not flushed yet."),
    Property("size-all-mem-tables", "bytes", "Size of all memtables, those too that scans keep alive."),
    Property("num-immutable-mem-table", "memtables", "Memtables that wait to be flushed."),
    Property("num-entries-active-mem-table", "entries", "Entries of the memtable that is written."),
    Property("num-entries-imm-mem-tables", "entries", "Entries of the memtables that wait to be flushed."),
    Property("num-deletes-active-mem-table", "entries", "Deletions in the memtable that is written."),
    Property("num-deletes-imm-mem-tables", "entries", "Deletions in the memtables that wait to be flushed."),
    Property("mem-table-flush-pending", "", "1 if a flush is waiting."),
    Property("num-running-flushes", "flushes", "Flushes that run."),
    Property("compaction-pending", "", "1 if a compaction is waiting."),
    Property("num-running-compactions", "compactions", "Compactions that run."),
    Property("estimate-pending-compaction-bytes", "bytes", "What compactions have still to rewrite, estimated."),
    Property("estimate-table-readers-mem", "bytes", "Memory for reading files, outside of the block cache."),
    Property("block-cache-capacity", "bytes", "Size of the block cache, which all stores of the process share."),
    Property("block-cache-usage", "bytes", "What is in the block cache, which all stores of the process share."),
    Property("block-cache-pinned-usage", "bytes", "What is held in the block cache."),
    Property("background-errors", "errors", "Flushes and compactions that failed."),
)


def stores(reading: WorkerReading) -> Iterable[tuple[Labels, StoreReading]]:
    for labels, (task, _) in tasks(reading):
        for store in task.stores:
            yield (*labels, store.store, store.kind), store


def standbys(reading: WorkerReading) -> Iterable[tuple[Labels, StandbyReading]]:
    if reading.thread is not None:
        for each in reading.thread.standbys:
            yield (reading.thread.name, str(each.task), each.store), each


STORE = Scope("Stores", ("thread_id", "task_id", "store", "store_kind"), stores)

STANDBY = Scope("Stores of tasks that stand by", ("thread_id", "task_id", "store"), standbys)

standby = Group(STANDBY, "headrace_standby")
state = Group(STORE, "kafka_streams_stream_state_metrics")


def figure(each: Property) -> Metric:
    name = each.name.replace("-", "_")
    return state.gauge(
        name, each.unit, f"{each.text} Stores in RocksDB only.", lambda store: store.figures.get(each.name)
    )


STORE_METRICS: tuple[Metric, ...] = (
    state.gauge(
        "suppression_buffer_count_avg",
        "records",
        "Mean number of records that wait in a buffer (`suppress`, and joins that hold records back).",
        lambda store: store.waiting_records and store.waiting_records.mean,
    ),
    state.gauge(
        "suppression_buffer_count_max",
        "records",
        "Largest number of records that wait in a buffer.",
        lambda store: store.waiting_records and store.waiting_records.highest,
    ),
    state.gauge(
        "suppression_buffer_size_avg",
        "bytes",
        "Mean size of what waits in a buffer.",
        lambda store: store.waiting_bytes and store.waiting_bytes.mean,
    ),
    state.gauge(
        "suppression_buffer_size_max",
        "bytes",
        "Largest size of what waits in a buffer.",
        lambda store: store.waiting_bytes and store.waiting_bytes.highest,
    ),
    *(figure(each) for each in PROPERTIES),
    standby.gauge(
        "lag_records",
        "records",
        "Records of its changelog that the store lacks, at most (some offsets belong to no record).",
        lambda each: each.lag,
    ),
)
