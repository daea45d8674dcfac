"""A metric, declared: what it is called, what it means, and where in a worker's reading its values are.

Names are those that the JMX exporter of Prometheus gives MBeans by default, by domain, type and attribute
(`kafka.streams`, `stream-thread-metrics`, `process-rate`: `kafka_streams_stream_thread_metrics_process_rate`), so that
dashboards made for Kafka Streams find them. What Kafka has no name for begins with `headrace_`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Generic, Literal, TypeVar

from msgspec import Struct

from streams.observe.reading import WorkerReading

R = TypeVar("R")

Labels = tuple[str, ...]
Kind = Literal["counter", "gauge"]


class Scope(Struct, Generic[R], frozen=True):
    """What a group of metrics is measured of: each thread, each task, and so on.

    `rows` gives the values of `labels`, without the application's id, which is the first label of every metric.
    """

    title: str
    labels: Labels
    rows: Callable[[WorkerReading], Iterable[tuple[Labels, R]]]


class Metric(Struct, frozen=True):
    """`value` reads it from a row of the scope; None where the row has none (a store in memory has no block cache).

    A counter's name ends with `_total`; `unit` is what its number counts.
    """

    scope: Scope[Any]
    name: str
    kind: Kind
    unit: str
    help: str
    value: Callable[[Any], float | None]

    @property
    def labels(self) -> Labels:
        return ("application_id", *self.scope.labels)

    def samples(self, reading: WorkerReading) -> Iterable[tuple[Labels, float]]:
        """Label values and value, of everything the reading has."""
        for labels, row in self.scope.rows(reading):
            value = self.value(row)
            if value is not None:
                yield (reading.application_id, *labels), value


class Group(Struct, Generic[R], frozen=True):
    """Declares metrics of one scope whose names begin alike. `value` reads them."""

    scope: Scope[R]
    prefix: str

    def gauge(self, name: str, unit: str, text: str, value: Callable[[R], float | None]) -> Metric:
        return Metric(self.scope, f"{self.prefix}_{name}", "gauge", unit, text, value)

    def counter(self, name: str, unit: str, text: str, value: Callable[[R], float | None]) -> Metric:
        """`name` ends with `_total`."""
        return Metric(self.scope, f"{self.prefix}_{name}", "counter", unit, text, value)
