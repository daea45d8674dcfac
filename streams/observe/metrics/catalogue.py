"""All metrics of a worker, in the order in which the reference lists them. Nothing else is exposed."""

from __future__ import annotations

from streams.observe.metric import Metric
from streams.observe.metrics.clients import CLIENT_METRICS
from streams.observe.metrics.stores import STORE_METRICS
from streams.observe.metrics.tasks import TASK_METRICS
from streams.observe.metrics.thread import THREAD_METRICS
from streams.observe.metrics.worker import WORKER_METRICS

METRICS: tuple[Metric, ...] = (
    *WORKER_METRICS,
    *THREAD_METRICS,
    *TASK_METRICS,
    *STORE_METRICS,
    *CLIENT_METRICS,
)
