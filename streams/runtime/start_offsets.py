"""Where partitions begin that have no committed offset, or have lost the records it points at."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Any, Literal

from confluent_kafka import OFFSET_BEGINNING, OFFSET_END, KafkaException, TopicPartition
from msgspec import Struct

from streams.errors import StreamsError
from streams.operators.source import OffsetReset
from streams.runtime.router import Place

NO_RESETS: Mapping[str, OffsetReset] = MappingProxyType({})
ASK_TIMEOUT_S = 10.0


class StartOffsets(Struct, frozen=True):
    """`usual` holds for all topics, `resets` for some by their names. Source: `AutoOffsetReset` (KIP-1106)."""

    usual: Literal["earliest", "latest"]
    resets: Mapping[str, OffsetReset]

    def of(self, client: Any, place: Place) -> int:
        """The offset to begin at, which may be one of librdkafka's marks for the beginning and the end.

        Raises:
            StreamsError: nothing is to be read without a committed offset, or the broker does not say which offset was
                written when.
        """
        topic, partition = place
        reset = self.resets.get(topic, self.usual)
        if reset == "none":
            raise StreamsError(
                f"{topic}[{partition}] has no committed offset that can be gone on from, and its stream or table is "
                f'declared with auto_offset_reset="none": set one (headrace groups reset), or declare where to begin'
            )
        if not isinstance(reset, timedelta):
            return OFFSET_BEGINNING if reset == "earliest" else OFFSET_END
        since_ms = max(0, int(time.time() * 1000) - reset // timedelta(milliseconds=1))
        try:
            (found,) = client.offsets_for_times([TopicPartition(topic, partition, since_ms)], timeout=ASK_TIMEOUT_S)
        except KafkaException as error:
            raise StreamsError(
                f"the broker does not say where {topic}[{partition}] was {reset} ago ({error.args[0].str()}); start "
                "again when it does"
            ) from error
        return found.offset

    def described(self, topic: str) -> str:
        """Where that is, for people."""
        reset = self.resets.get(topic, self.usual)
        if isinstance(reset, timedelta):
            return f"where it was {reset} ago"
        return {"earliest": "its beginning", "latest": "its end", "none": "nowhere"}[reset]
