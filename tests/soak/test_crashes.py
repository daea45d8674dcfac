"""The crash harness in short: it runs with the ordinary tests. `make soak` is the long form."""

from __future__ import annotations

from pathlib import Path

import pytest

from broker import Broker
from tests.soak.run import run


@pytest.mark.timeout(400)
@pytest.mark.parametrize("guarantee", ["exactly_once"])
def test_flights_through_twenty_faults_are_exact(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, guarantee: str
) -> None:
    """Workers killed, paused past their session, stopped and added, the broker killed: every update of every key once,
    the stores as their changelogs, the windows as a batch computation."""
    monkeypatch.setenv("HEADRACE_PROCESSING_GUARANTEE", guarantee)
    monkeypatch.setenv("HEADRACE_SESSION_TIMEOUT", "6")
    with Broker(data=tmp_path / "broker") as broker:
        verdict = run(broker, tmp_path / "job", faults=20, seed=20, between_s=(0.2, 1.2), pause_s=(0.2, 8.0))
    assert verdict.exact, verdict
