"""Metrics of topics, partitions and what is done to their logs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import TYPE_CHECKING

from broker.metrics.metric import BrokerMetric, Rows
from broker.metrics.reading import Reading

if TYPE_CHECKING:
    from broker.log.partition import PartitionLog

PARTITION = ("topic", "partition")


def by_topic(value: Callable[[Reading, PartitionLog], int]) -> Callable[[Reading], Rows]:
    """Sums over the partitions of each topic."""

    def rows(reading: Reading) -> Rows:
        sums: defaultdict[str, int] = defaultdict(int)
        for log in reading.logs():
            sums[log.topic] += value(reading, log)
        return (((topic,), total) for topic, total in sums.items())

    return rows


def by_partition(value: Callable[[PartitionLog], int]) -> Callable[[Reading], Rows]:
    return lambda reading: (((log.topic, str(log.partition)), value(log)) for log in reading.logs())


LOG_METRICS = (
    BrokerMetric(
        name="kafka_server_brokertopicmetrics_messagesin_total",
        kind="counter",
        unit="records",
        labels=("topic",),
        help="Records written, with the markers of transactions.",
        rows=by_topic(lambda reading, log: reading.records_in(log)),
    ),
    BrokerMetric(
        name="kafka_server_brokertopicmetrics_bytesin_total",
        kind="counter",
        unit="bytes",
        labels=("topic",),
        help="Record batches written, as they came: compressed, headers included.",
        rows=by_topic(lambda _, log: log.appended),
    ),
    BrokerMetric(
        name="kafka_log_log_size",
        kind="gauge",
        unit="bytes",
        labels=PARTITION,
        help="Size of the segments.",
        rows=by_partition(lambda log: log.size),
    ),
    BrokerMetric(
        name="kafka_log_log_numlogsegments",
        kind="gauge",
        unit="segments",
        labels=PARTITION,
        help="Segments.",
        rows=by_partition(lambda log: len(log.segments)),
    ),
    BrokerMetric(
        name="kafka_log_log_logstartoffset",
        kind="gauge",
        unit="offset",
        labels=PARTITION,
        help="Offset of the first record.",
        rows=by_partition(lambda log: log.start_offset),
    ),
    BrokerMetric(
        name="kafka_log_log_logendoffset",
        kind="gauge",
        unit="offset",
        labels=PARTITION,
        help="Offset the next record gets.",
        rows=by_partition(lambda log: log.end_offset),
    ),
    BrokerMetric(
        name="kafka_cluster_partition_laststableoffsetlag",
        kind="gauge",
        unit="records",
        labels=PARTITION,
        help="Records held back from read_committed consumers by open transactions.",
        rows=by_partition(lambda log: log.high_watermark - log.stable.offset),
    ),
    BrokerMetric(
        name="kafka_server_replicamanager_partitioncount",
        kind="gauge",
        unit="partitions",
        help="Partitions.",
        rows=lambda reading: [((), len(reading.state.logs.logs))],
    ),
    BrokerMetric(
        name="headrace_broker_failed_partitions",
        kind="gauge",
        unit="partitions",
        help="Partitions that take no writes since their storage failed.",
        rows=lambda reading: [((), sum(log.failed is not None for log in reading.logs()))],
    ),
    BrokerMetric(
        name="kafka_log_logflushstats_logflushrateandtimems_count",
        kind="gauge",
        unit="fsyncs",
        help="Segments made durable for producers that waited for it (fsync=always), since the start.",
        rows=lambda reading: [((), reading.state.group_commit.syncs)],
    ),
    BrokerMetric(
        name="headrace_broker_compactions_total",
        kind="counter",
        unit="passes",
        help="Passes of compaction over a partition.",
        rows=lambda reading: [((), reading.server.cleaner.passes)],
    ),
)
