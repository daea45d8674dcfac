"""The crash harness over the flow of joins, in short; a file of its own, so that it runs beside the other one."""

from __future__ import annotations

from pathlib import Path

import pytest

from broker import Broker
from tests.soak.joins.flow import JoinsFlow
from tests.soak.run import run

FAULTS = ("kill", "join", "kill all")


@pytest.fixture(autouse=True)
def settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADRACE_PROCESSING_GUARANTEE", "exactly_once")
    monkeypatch.setenv("HEADRACE_SESSION_TIMEOUT", "6")


@pytest.mark.timeout(400)
def test_joins_through_faults_are_exact(tmp_path: Path) -> None:
    """Joins of streams and tables, foreign keys, sessions and final results, with hops in between: each result once."""
    with Broker(data=tmp_path / "broker") as broker:
        flow = JoinsFlow(broker, tmp_path / "job", faults=len(FAULTS), seed=15, per_fault=400)
        verdict = run(flow, broker, faults=FAULTS, seed=15, between_s=(0.1, 0.6))
    assert verdict.exact, str(verdict)
