"""The crash harness over poisoned input, in short."""

from __future__ import annotations

from pathlib import Path

import pytest

from broker import Broker
from streams.testing import TopologyTestDriver
from tests.soak.letters.flow import DEAD, OUTPUTS, LettersFlow, expected, make_input
from tests.soak.letters.topology import app
from tests.soak.run import run

FAULTS = ("kill", "kill broker")


@pytest.fixture(autouse=True)
def settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADRACE_PROCESSING_GUARANTEE", "exactly_once")
    monkeypatch.setenv("HEADRACE_SESSION_TIMEOUT", "6")


def test_letters_without_faults_are_those_that_are_expected() -> None:
    """The expectation itself, in the test driver."""
    records = make_input(3, 300)
    with TopologyTestDriver(app) as driver:
        posts = driver.input_topic("posts", key=str, value=bytes)
        for record in records:
            posts.pipe(record.value, key=record.key)
        for topic in OUTPUTS:
            found = driver.output_topic(topic, key=str, value=bytes).read_all()
            wanted = expected(records)[topic]
            assert wanted
            if topic == DEAD:
                names = [dict(record.headers)["__streams.errors.exception"] or b"" for record in found]
                assert {(r.value, name.decode()) for r, name in zip(found, names, strict=True)} == set(wanted)
                assert len(found) == wanted.total()
            else:
                assert sorted((record.key, record.value) for record in found) == sorted(wanted.elements())


@pytest.mark.timeout(400)
def test_dead_letters_through_faults_are_exact(tmp_path: Path) -> None:
    """Each dead letter once, and each result that could be made."""
    with Broker(data=tmp_path / "broker") as broker:
        flow = LettersFlow(broker, tmp_path / "job", faults=len(FAULTS), seed=7, per_fault=200)
        verdict = run(flow, broker, faults=FAULTS, seed=7, between_s=(0.1, 0.6))
    assert verdict.exact, str(verdict)
