"""Calls of Apache Kafka's tools whose outputs differ on the bundled broker, and why."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

ELIGIBLE_LEADERS = "Apache Kafka tells eligible leader replicas (KIP-966), for which it sets min.insync.replicas"
SYNONYMS = "settings of the broker that have no value by default are told as synonyms of a topic's"
FORGOTTEN = "a group without members and offsets is forgotten at once, by Apache Kafka at its next clean-up"
VERSIONS = "the lists of APIs, of features and of their versions are each broker's own"

DIFFERENCES: Mapping[str, str] = MappingProxyType(
    {
        "topics: describe": ELIGIBLE_LEADERS,
        "configs: describe a topic": SYNONYMS,
        "configs: describe topics": SYNONYMS,
        "configs: describe all of a topic": SYNONYMS,
        "configs: describe all brokers": ELIGIBLE_LEADERS,
        "groups: list": FORGOTTEN,
        "groups: list with states": FORGOTTEN,
        "groups: list with types": FORGOTTEN,
        "groups: all kinds": FORGOTTEN,
        "versions": VERSIONS,
        "features: describe": VERSIONS,
    }
)
"""By the name of the step."""
