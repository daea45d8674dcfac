"""What the broker knows of an application, asked for by those who read its stores."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from broker import Broker
from streams.errors import StreamsError
from streams.query.upstream import GroupLog
from streams.runtime.options import WorkerOptions
from tests.streams.runtime.bench import Bench


def test_ends_after_the_leader_epoch_rose_are_told_when_asked_again(tmp_path: Path) -> None:
    """The client that knew the old epoch is refused for good, so it may not be asked for good."""
    with Broker(tmp_path / "log") as broker, Bench(broker.bootstrap_servers, tmp_path, "ends") as bench:
        bench.topics(**{"in": 1})
        bench.produce("in", ("k", b"{}", 1), ("k", b"{}", 2))
        options = WorkerOptions(application_id="ends", bootstrap_servers=broker.bootstrap_servers, state_dir=tmp_path)
        log = GroupLog(SimpleNamespace(options=options, application_id="ends"))  # type: ignore[arg-type]
        place = (bench.name("in"), 0)
        assert log.ends([place]) == {place: 2}
        broker.kill()
        broker.restart()
        with pytest.raises(StreamsError, match="FENCED_LEADER_EPOCH"):
            log.ends([place])
        assert log.ends([place]) == {place: 2}
