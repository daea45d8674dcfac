"""Records from one end of a topic to the other, where the other is never reached."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest

from streams.cluster.errors import ClusterError
from streams.cluster.records import SILENT_S, records_of_topic


class Silence:
    """A consumer whose brokers are gone: the client waits for them and says nothing."""

    def assign(self, places: Any) -> None: ...

    def consume(self, count: int, timeout: float) -> list[Any]:
        return []


def test_bounded_read_of_a_cluster_that_is_gone_ends_and_says_where() -> None:
    client: Any = Silence()
    seconds = count(0.0, SILENT_S / 2)
    with pytest.raises(ClusterError, match=r"nothing came from partition 0, 2 of topic 'orders' for 30 s"):
        list(records_of_topic(client, "orders", {0: 0, 1: 7, 2: 0}, {0: 5, 1: 7, 2: 9}, clock=lambda: next(seconds)))
