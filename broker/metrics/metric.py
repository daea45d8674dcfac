"""A metric, declared: what it is called, what it means, and where its values are.

Names are those that the JMX exporter of Prometheus gives Kafka's own with its example rules for brokers: domain, type
and name of the MBean. What Kafka has no name for begins with `headrace_broker_`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from broker.metrics.reading import Reading

Labels = tuple[str, ...]
Rows = Iterable[tuple[Labels, float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerMetric:
    """A counter's name ends with `_total`, or is Kafka's; it counts from the broker's start."""

    name: str
    kind: Literal["counter", "gauge"]
    unit: str
    labels: Labels = ()
    help: str
    rows: Callable[[Reading], Rows]
