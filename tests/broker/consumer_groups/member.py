"""A member on the wire: what it says is in the test's hand."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Protocol
from uuid import UUID, uuid4

from kio.schema.errors import ErrorCode

HEARTBEAT, DESCRIBE = 68, 69


class Asking(Protocol):
    """Like `WireClient`."""

    def ask(self, key: int, version: int, /, **values: Any) -> Any: ...


Lines = dict[UUID, list[int]]
"""Topic id → partitions."""


class WireMember:
    """`epoch` and `owned` are as it was told last; it gives up at once what it is not told any more."""

    def __init__(self, client: Asking, group: str, topics: list[str] | None = None, **fields: Any) -> None:
        self.client = client
        self.group = group
        self.member_id = str(fields.pop("member_id", uuid4()))
        self.fields = {"subscribed_topic_names": topics, "rebalance_timeout": timedelta(seconds=30), **fields}
        self.epoch = 0
        self.owned: Lines = {}

    def ask(self, version: int = 1, **fields: Any) -> Any:
        """A heartbeat with these fields, and of others what the schema has as default; nothing is taken from it."""
        values: dict[str, Any] = {
            "group_id": self.group,
            "member_id": self.member_id,
            "member_epoch": self.epoch,
            "instance_id": self.fields.get("instance_id"),
            "topic_partitions": None,
        }
        return self.client.ask(HEARTBEAT, version, **{**values, **fields})

    def beat(self, *, full: bool = False) -> ErrorCode:
        """A heartbeat and what follows from its answer; a full one while it joins, or if asked for."""
        owned = [{"topic_id": topic, "partitions": found} for topic, found in self.owned.items()]
        said = self.fields if full or self.epoch == 0 else {}
        answer = self.ask(topic_partitions=owned, **said)
        if answer.error_code is ErrorCode.none:
            self.epoch = answer.member_epoch
            if answer.assignment is not None:
                self.owned = {line.topic_id: list(line.partitions) for line in answer.assignment.topic_partitions}
        return answer.error_code

    def leave(self, epoch: int = -1) -> ErrorCode:
        return self.ask(member_epoch=epoch).error_code

    @property
    def count(self) -> int:
        """How many partitions it owns."""
        return sum(map(len, self.owned.values()))


def settle(*members: WireMember) -> None:
    """All beat until nothing moves any more."""
    for _ in range(6):
        for member in members:
            assert member.beat() is ErrorCode.none
