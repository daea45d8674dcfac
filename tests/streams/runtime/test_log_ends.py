"""Where partitions end, as brokers tell it."""

from __future__ import annotations

from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient

from broker import Broker
from streams.errors import StreamsError
from streams.runtime.internal_topics import admin_client
from streams.runtime.log_ends import BrokerLogEnds
from streams.runtime.options import WorkerOptions
from tests.streams.runtime.bench import Bench

PATIENCE_S = 20.0


@pytest.mark.parametrize("committed", [False, True])
def test_log_ends_after_the_leader_epoch_rose_are_told_when_asked_again(tmp_path: Path, committed: bool) -> None:
    """A client that knew the old epoch is refused; it may not go on with that for good."""
    with Broker(tmp_path / "log") as broker, Bench(broker.bootstrap_servers, tmp_path, "ends") as bench:
        bench.topics(**{"in": 1})
        bench.produce("in", ("k", b"{}", 1), ("k", b"{}", 2))
        options = WorkerOptions(application_id="ends", bootstrap_servers=broker.bootstrap_servers, state_dir=tmp_path)
        opened: list[AdminClient] = []

        def open_admin() -> AdminClient:
            opened.append(admin_client(options))
            return opened[-1]

        ends = BrokerLogEnds(open_admin, committed=committed)
        assert len(opened) == 1, "a client is connected before it is asked: what it is asked at once may be lost"
        place = (bench.name("in"), 0)
        assert ends.request([place]).result(PATIENCE_S) == {place: 2}
        broker.kill()
        broker.restart()
        with pytest.raises(StreamsError, match="FENCED_LEADER_EPOCH"):
            ends.request([place]).result(PATIENCE_S)
        assert len(opened) == 2
        assert ends.request([place]).result(PATIENCE_S) == {place: 2}
