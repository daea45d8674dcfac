"""All metrics, by what they are measured of."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from broker.metrics.coordinator_metrics import COORDINATOR_METRICS
from broker.metrics.log_metrics import LOG_METRICS
from broker.metrics.metric import BrokerMetric
from broker.metrics.request_metrics import REQUEST_METRICS

METRICS: Final[Mapping[str, tuple[BrokerMetric, ...]]] = MappingProxyType(
    {"Requests": REQUEST_METRICS, "Topics and logs": LOG_METRICS, "Groups and transactions": COORDINATOR_METRICS}
)
REQUEST_SECONDS: Final = "headrace_broker_request_seconds"
REQUEST_SECONDS_HELP: Final = "Time from a request's last byte to its answer, waiting included."
