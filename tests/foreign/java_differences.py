"""Calls of Apache Kafka's tools whose outputs differ on the bundled broker, and why."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

ELIGIBLE_LEADERS = "Apache Kafka tells eligible leader replicas (KIP-966), for which it sets min.insync.replicas"
VERSIONS = "the lists of APIs, of features and of their versions are each broker's own"

DIFFERENCES: Mapping[str, str] = MappingProxyType(
    {
        "configs: describe all of a topic": ELIGIBLE_LEADERS,
        "configs: describe all brokers": ELIGIBLE_LEADERS,
        "versions": VERSIONS,
        "features: describe": VERSIONS,
    }
)
"""By the name of the step."""
