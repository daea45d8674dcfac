"""Topics that programs keep for themselves."""

from __future__ import annotations

ENDINGS = ("-changelog", "-repartition", "-subscription-registration-topic", "-subscription-response-topic")
"""Of Kafka Streams' internal topics, and ours."""


def is_internal(topic: str) -> bool:
    """By its name: of an application, or of the cluster."""
    return topic.endswith(ENDINGS) or topic.startswith("__")
