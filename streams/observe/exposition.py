"""A worker's metrics in Prometheus' text format."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client import Metric as Family
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.exposition import choose_encoder

from streams.observe.metric import Metric
from streams.observe.metrics import METRICS
from streams.observe.reading import WorkerReading


class Observed(Protocol):
    """Whose metrics they are."""

    def reading(self) -> WorkerReading:
        """From any thread."""
        ...


class WorkerCollector:
    """A collector of prometheus_client: makes the numbers at the scrape, from what the worker counts anyway."""

    def __init__(self, worker: Observed) -> None:
        self._worker = worker

    def describe(self) -> Iterable[Family]:
        """Nothing is asked of the worker when the collector is registered."""
        return [family(metric) for metric in METRICS]

    def collect(self) -> Iterator[Family]:
        reading = self._worker.reading()
        for metric in METRICS:
            made = family(metric)
            for labels, value in metric.samples(reading):
                made.add_metric(labels, value)
            yield made


def family(metric: Metric) -> CounterMetricFamily | GaugeMetricFamily:
    """The metric without values. prometheus_client leaves out a counter's `_total`, and puts it behind."""
    text = f"{metric.help} [{metric.unit}]" if metric.unit else metric.help
    if metric.kind == "counter":
        return CounterMetricFamily(metric.name.removesuffix("_total"), text, labels=metric.labels)
    return GaugeMetricFamily(metric.name, text, labels=metric.labels)


class Exposition:
    """What `/metrics` answers: the worker's metrics, then those of the process and of the user's own program, which
    are in prometheus_client's default registry."""

    def __init__(self, worker: Observed, process: CollectorRegistry = REGISTRY) -> None:
        self._worker = CollectorRegistry(auto_describe=False)
        self._worker.register(WorkerCollector(worker))
        self._process = process

    def answer(self, accept: str) -> tuple[bytes, str]:
        """The text and its content type: Prometheus' or OpenMetrics', as the `Accept` header asks."""
        encode, content_type = choose_encoder(accept)
        return encode(Both(self._worker, self._process)), content_type


class Both(CollectorRegistry):
    """Two registries, one after the other."""

    def __init__(self, first: CollectorRegistry, second: CollectorRegistry) -> None:
        super().__init__()
        self._first = first
        self._second = second

    def collect(self) -> Iterator[Family]:
        yield from self._first.collect()
        yield from self._second.collect()
