"""A topic is deleted and made anew, and the broker dies at any moment of it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from broker.data_directory import DataDirectory
from broker.log import segment
from broker.options import BrokerOptions
from broker.state import BrokerState
from broker.topics.errors import TopicError
from tests.broker.log.partitions import NOW, batch, read_all


class Died(Exception):
    """Instead of the call that would have been next."""


class Deaths:
    """Lets so many calls that change the disk through, and none after that."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.left = -1
        for module, name in ((os, "rename"), (os, "replace"), (os, "unlink"), (os, "mkdir"), (shutil, "rmtree")):
            monkeypatch.setattr(module, name, self.counted(getattr(module, name)))
        for name in ("rename", "unlink", "mkdir"):
            monkeypatch.setattr(Path, name, self.counted(getattr(Path, name)))

    def counted(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def counting(*arguments: Any, **named: Any) -> Any:
            if self.left == 0:
                raise Died
            self.left -= 1
            return call(*arguments, **named)

        return counting


def start(path: Path) -> BrokerState:
    data = DataDirectory(path)
    data.open()
    state = BrokerState(BrokerOptions(data=path), data, lambda: NOW)
    state.load()
    return state


def end(state: BrokerState) -> None:
    """As the death of the process leaves it."""
    for log in state.logs:
        log.release()
    state.data.release()


def fill(state: BrokerState, value: str) -> None:
    for partition in range(state.topics.require("t").partitions):
        log = state.logs.get("t", partition)
        assert log is not None
        log.append(batch(value))


def contents(state: BrokerState) -> list[list[tuple[int, str]]]:
    return [read_all(log) for log in state.logs]


def test_death_at_any_step_of_deletion_and_creation_leaves_the_old_the_new_or_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Never the old records under the new topic, nor a topic without its logs."""
    deaths = Deaths(monkeypatch)
    outcomes: list[str] = []
    for steps in range(60):
        path = tmp_path / str(steps)
        deaths.left = -1
        state = start(path)
        state.create_topic("t", 3)
        fill(state, "old")
        old = state.topics.require("t").id
        deaths.left = steps
        try:
            state.delete_topic("t")
            state.create_topic("t", 2)
            fill(state, "new")
        except Died:
            finished = False
        else:
            finished = True
        deaths.left = -1
        end(state)
        state = start(path)
        topic = state.topics.get("t")
        if topic is None:
            outcomes.append("none")
            assert not list(path.glob("logs/*"))
            state.create_topic("t", 1)
            assert contents(state) == [[]]
        elif topic.id == old:
            outcomes.append("old")
            assert contents(state) == [[(0, "old")]] * 3
        else:
            outcomes.append("new")
            assert topic.partitions == 2
            assert all(one in ([], [(0, "new")]) for one in contents(state))
        end(state)
        if finished:
            break
    assert finished
    assert outcomes == sorted(outcomes, key=["old", "none", "new"].index)
    assert set(outcomes) == {"old", "none", "new"}


def test_topic_made_anew_has_no_lower_leader_epoch_and_another_id(tmp_path: Path) -> None:
    state = start(tmp_path)
    state.create_topic("t", 1)
    before = state.topics.require("t").id
    end(state)
    state = start(tmp_path)
    state.delete_topic("t")
    state.create_topic("t", 1)
    log = state.logs.get("t", 0)
    assert log is not None
    assert log.leader_epoch == 1
    assert state.topics.require("t").id != before
    end(state)


def test_topic_whose_logs_cannot_be_made_is_not_there_and_can_be_made_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor partitions that cannot be added."""
    state = start(tmp_path)
    real = segment.Segment.open

    def full(self: segment.Segment) -> int:
        if self.path.parent.name.endswith("-1"):
            raise OSError(28, "No space left on device")
        return real(self)

    monkeypatch.setattr(segment.Segment, "open", full)
    with pytest.raises(TopicError, match="storage failed"):
        state.create_topic("t", 3)
    assert state.topics.get("t") is None
    assert list(state.logs) == []
    state.create_topic("t", 1)
    with pytest.raises(TopicError, match="storage failed"):
        state.add_partitions("t", 3)
    assert state.topics.require("t").partitions == 1
    assert [log.partition for log in state.logs] == [0]
    monkeypatch.undo()
    state.add_partitions("t", 3)
    fill(state, "v")
    end(state)
    state = start(tmp_path)
    assert contents(state) == [[(0, "v")]] * 3
    end(state)
