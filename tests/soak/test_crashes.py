"""The crash harness in short: it runs with the ordinary tests. `make soak` is the long form."""

from __future__ import annotations

from pathlib import Path

import pytest

from broker import Broker
from tests.soak.flights.flow import FlightsFlow
from tests.soak.run import run

FAULTS = ("pause", "join", "kill twice", "kill broker", "leave", "stop", "wipe")


@pytest.fixture(autouse=True)
def settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADRACE_PROCESSING_GUARANTEE", "exactly_once")
    monkeypatch.setenv("HEADRACE_SESSION_TIMEOUT", "6")


@pytest.mark.timeout(400)
def test_flights_through_faults_of_all_kinds_are_exact(tmp_path: Path) -> None:
    """Workers killed, paused past their session, stopped and added, the broker killed, the disk lost: every update of
    every key once, the stores as their changelogs, the windows as a batch computation."""
    with Broker(data=tmp_path / "broker") as broker:
        flow = FlightsFlow(broker, tmp_path / "job", faults=len(FAULTS))
        verdict = run(flow, broker, faults=FAULTS, seed=20, between_s=(0.2, 1.2), pause_s=(7.0, 8.0))
    assert verdict.exact, str(verdict)
