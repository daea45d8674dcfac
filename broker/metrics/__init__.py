"""The broker's metrics: declared one by one, read from its state when they are asked for."""

from broker.metrics.catalogue import METRICS as METRICS
from broker.metrics.metric import BrokerMetric as BrokerMetric
