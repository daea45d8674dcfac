"""What waits for one fdatasync while another one fails."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Sequence
from pathlib import Path

import pytest

from broker.log.group_commit import GroupCommit
from broker.log.segment import Segment
from tests.broker.log.partitions import batch, open_partition


def test_sync_that_succeeds_after_one_that_failed_makes_nothing_visible(tmp_path: Path) -> None:
    """The system reports lost pages once: the second sync knows nothing of them."""
    log = open_partition(tmp_path, durable=True)
    syncs: list[int] = []

    async def work() -> None:
        loop = asyncio.get_running_loop()
        second: list[asyncio.Future[None]] = []
        appended = asyncio.Event()

        def append_more() -> None:
            log.append(batch("second"))
            second.append(commit.wait(log))
            appended.set()

        def sync(segments: Sequence[Segment]) -> list[OSError | None]:
            syncs.append(len(segments))
            if len(syncs) > 1:
                return [None] * len(segments)
            loop.call_soon_threadsafe(append_more)
            asyncio.run_coroutine_threadsafe(appended.wait(), loop).result(10)
            return [OSError(errno.EIO, "Input/output error")]

        failed: list[str] = []
        commit = GroupCommit(sync, failed=lambda log: failed.append(log.name))
        log.append(batch("first"))
        with pytest.raises(OSError, match="Input/output"):
            await commit.wait(log)
        with pytest.raises(OSError, match="Input/output"):
            await second[0]
        await commit.close()
        assert failed == ["t-0"]

    asyncio.run(work())
    assert log.high_watermark == 0
