"""The broker is killed (SIGKILL) under transactional load: `tests.soak.broker`, for seconds."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.soak import broker as soak


@pytest.mark.parametrize(("fsync", "kills"), [("never", 5), ("always", 2)])
def test_transactions_survive_kill_9_whole_or_not_at_all(tmp_path: Path, fsync: str, kills: int) -> None:
    """Nothing acknowledged is lost or doubled, read_committed sees committed transactions only, offsets never go
    back."""
    soak.BrokerSoak(tmp_path / "data", seed=kills, fsync=fsync).run(kills)  # type: ignore[arg-type]
