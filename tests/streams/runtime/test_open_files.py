"""The limit of open files follows the number of tasks."""

from __future__ import annotations

import resource

import pytest

from streams import App
from streams.plan.plan import PartitionPlan
from streams.runtime.open_files import allow_open_files, files_needed


def plan_of(partitions: int) -> PartitionPlan:
    app = App("app")
    app.stream("in", key=str, value=str).group_by_key().count(store="counts")
    return app.plan().partitions({"in": partitions})


class Limit:
    """The limit, as the system would keep it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, soft: int, hard: int) -> None:
        self.now = (soft, hard)
        monkeypatch.setattr(resource, "getrlimit", lambda _: self.now)
        monkeypatch.setattr(resource, "setrlimit", self.set)

    def set(self, _: int, limit: tuple[int, int]) -> None:
        self.now = limit


def test_limit_that_is_enough_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    limit = Limit(monkeypatch, 1_024, 4_096)
    allow_open_files(plan_of(4))
    assert limit.now == (1_024, 4_096)


def test_limit_that_is_too_low_for_the_tasks_is_raised(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    limit = Limit(monkeypatch, 1_024, 1_048_576)
    plan = plan_of(1_000)
    assert files_needed(plan) > 7_000
    allow_open_files(plan)
    assert limit.now == (1_048_576, 1_048_576)
    assert not caplog.records


def test_limit_that_cannot_be_raised_enough_is_told_with_the_cure(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    Limit(monkeypatch, 1_024, 4_096)
    allow_open_files(plan_of(1_000))
    assert "few_open_files" in caplog.text
    assert "4096" in caplog.text
    assert "ulimit -n" in caplog.text
