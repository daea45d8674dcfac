"""Calls of Apache Kafka's tools whose outputs differ on the bundled broker, and why."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

DIFFERENCES: Mapping[str, str] = MappingProxyType({})
"""By the name of the step."""
