"""Every metric of a worker: one file for each thing that is measured."""

from streams.observe.metrics.catalogue import METRICS as METRICS
