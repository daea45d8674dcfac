"""What nobody foresaw: the connection is closed, and the broker's log says why."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest

from broker.protocol.entities import VersionedEntities
from tests.broker.server.test_connection import API_VERSIONS, frame
from tests.broker.server.test_limits import Bench, is_closed, run


def test_answer_that_cannot_be_written_closes_the_connection(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Instead of leaving its client to wait, and all requests behind it."""

    def refuse(entities: VersionedEntities, response: Any) -> bytes:
        raise TypeError("Unexpectedly received None value")

    async def work(bench: Bench) -> None:
        monkeypatch.setattr(VersionedEntities, "encode", refuse)
        reader, out = await bench.connect()
        out.write(frame(API_VERSIONS, 0, 1))
        assert await is_closed(reader)

    with caplog.at_level(logging.ERROR):
        run(tmp_path, work)
    assert "API_VERSIONS version 0 from /127.0.0.1 failed" in caplog.text
