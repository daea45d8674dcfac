"""One topic as the catalogue knows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from broker.topics.config import TopicConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """Immutable; a change puts a new one into the catalogue."""

    name: str
    id: UUID
    partitions: int
    configs: Mapping[str, str]
    """The topic's own overrides only."""
    config: TopicConfig
    """Effective values: overrides, the broker's defaults, Kafka's defaults."""
    internal: bool = False
    """Clients cannot produce into it."""
