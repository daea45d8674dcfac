"""The metrics in Prometheus' text format."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client import Metric as Family
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import choose_encoder

from broker.metrics.catalogue import METRICS, REQUEST_SECONDS, REQUEST_SECONDS_HELP
from broker.metrics.metric import BrokerMetric
from broker.metrics.reading import Reading
from broker.metrics.request_metrics import named
from broker.watch.request_meter import BOUNDS_S


class Exposition(CollectorRegistry):
    """The broker's metrics, then those of the process, which are in prometheus_client's default registry."""

    def __init__(self, reading: Reading, process: CollectorRegistry = REGISTRY) -> None:
        super().__init__()
        self.reading = reading
        self.process = process

    def collect(self) -> Iterator[Family]:
        for metrics in METRICS.values():
            for metric in metrics:
                made = family(metric)
                for labels, value in metric.rows(self.reading):
                    made.add_metric(labels, value)
                yield made
        yield self.request_seconds()
        yield from self.process.collect()

    def request_seconds(self) -> Family:
        made = HistogramMetricFamily(REQUEST_SECONDS, REQUEST_SECONDS_HELP, labels=("request",))
        for key, meter in self.reading.requests.apis.items():
            count, buckets = 0, list[tuple[str, float]]()
            for bound, more in zip((*map(str, BOUNDS_S), "+Inf"), meter.buckets):
                count += more
                buckets.append((bound, count))
            made.add_metric((named(key),), buckets, meter.seconds)
        return made

    def answer(self, accept: str) -> tuple[bytes, str]:
        """The text and its content type: Prometheus' or OpenMetrics', as the `Accept` header asks."""
        encode, content_type = choose_encoder(accept)
        return encode(self), content_type


def family(metric: BrokerMetric) -> CounterMetricFamily | GaugeMetricFamily:
    """The metric without values. prometheus_client leaves out a counter's `_total`, and puts it behind."""
    text = f"{metric.help} [{metric.unit}]"
    if metric.kind == "counter":
        return CounterMetricFamily(metric.name.removesuffix("_total"), text, labels=metric.labels)
    return GaugeMetricFamily(metric.name, text, labels=metric.labels)
