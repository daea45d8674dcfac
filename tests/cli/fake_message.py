"""A record as a Kafka client hands it out."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class FakeMessage:
    """The methods of `confluent_kafka.Message` that commands and demo read."""

    key_bytes: bytes | None = None
    value_bytes: bytes | None = b"{}"
    time: int = 978307260000
    header_list: list[tuple[str, bytes | None]] = field(default_factory=list)

    def topic(self) -> str:
        return "delays"

    def partition(self) -> int:
        return 3

    def offset(self) -> int:
        return 17

    def timestamp(self) -> tuple[int, int]:
        return (1, self.time)

    def key(self) -> bytes | None:
        return self.key_bytes

    def value(self) -> bytes | None:
        return self.value_bytes

    def headers(self) -> list[tuple[str, bytes | None]]:
        return self.header_list

    def error(self) -> None:
        return None
