"""`headrace dev`'s loop, and how it hears of a save."""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path
from types import ModuleType

import pytest
from watchfiles import Change

from streams.cli.failures import CommandFailed
from streams.cli.reloading import Reloading, source_topics
from streams.cli.source_watch import SourceWatch, is_source, source_folders

DEADLINE_S = 60


class FakeSupervisor:
    """Writes down what is asked of it; fails when `broken`."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.broken = False

    def step(self) -> None:
        self.calls.append("step")
        if self.broken:
            raise CommandFailed("worker 0 failed")

    def renew(self) -> None:
        self.calls.append("renew")

    def drain(self) -> None:
        self.calls.append("drain")


class Stage:
    def __init__(self) -> None:
        self.supervisor = FakeSupervisor()
        self.saved = False
        self.loads = True
        self.said: list[str] = []
        self.reloading = Reloading(
            self.supervisor,  # type: ignore[arg-type]
            lambda: self.saved,
            lambda: self.loads,
            say=self.said.append,
        )

    def step(self, *, saved: bool = False, loads: bool = True) -> list[str]:
        """What the supervisor was asked for in one step."""
        self.saved, self.loads = saved, loads
        self.supervisor.calls.clear()
        self.reloading.step()
        return list(self.supervisor.calls)


def test_reloading_without_a_save_lets_the_supervisor_work() -> None:
    assert Stage().step() == ["step"]


def test_reloading_after_a_save_that_loads_renews_the_workers() -> None:
    stage = Stage()
    assert stage.step(saved=True) == ["renew", "step"]


def test_reloading_after_a_save_that_does_not_load_keeps_the_workers() -> None:
    """They are still looked after."""
    stage = Stage()
    assert stage.step(saved=True, loads=False) == ["step"]
    assert stage.said == ["saved, but it does not load: the workers go on with what they have"]


def test_reloading_of_a_program_that_fails_for_ever_waits_for_a_save() -> None:
    """Nothing is started until then; a save that does not load does not end the wait."""
    stage = Stage()
    stage.supervisor.broken = True
    assert stage.step() == ["step", "drain"]
    assert stage.said == ["worker 0 failed; waiting for you to save a change"]
    assert stage.step() == []
    assert stage.step(saved=True, loads=False) == []
    stage.supervisor.broken = False
    assert stage.step(saved=True) == ["renew", "step"]


def test_source_watch_hears_of_python_files_only(tmp_path: Path) -> None:
    """A save in a package counts; files of the log, of stores and of caches do not."""
    for folder in ("shop", ".headrace", "shop/__pycache__"):
        (tmp_path / folder).mkdir()
    assert list(source_folders(tmp_path)) == [tmp_path / "shop"]

    with SourceWatch(tmp_path) as watch:
        deadline = time.monotonic() + DEADLINE_S
        number = 0
        while not watch.take():  # the watch begins some time after its thread does
            number += 1
            (tmp_path / "shop" / "orders.py").write_text(f"x = {number}")
            assert time.monotonic() < deadline, "the save was not heard"
        (tmp_path / ".headrace" / "x.py").write_text("x")
        (tmp_path / "notes.txt").write_text("x")
        (tmp_path / "headrace.toml").write_text("")
        while not watch.take():
            assert time.monotonic() < deadline, "the settings file was not heard"


@pytest.mark.parametrize("name", ["test_app.py", "app_test.py", "conftest.py"])
def test_test_that_is_saved_is_no_source_unless_the_program_imports_it(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Workers are not replaced for a test; a program that somebody has put into such a file is one all the same."""
    path = str(tmp_path / name)
    assert is_source(Change.modified, str(tmp_path / "latest.py"))
    assert not is_source(Change.modified, path)
    program = ModuleType("program")
    program.__file__ = path
    monkeypatch.setitem(sys.modules, "program", program)
    assert is_source(Change.modified, path)


def test_source_watch_that_notices_a_save_while_it_is_asked_keeps_it(tmp_path: Path) -> None:
    class SetWhileAsked(threading.Event):
        def is_set(self) -> bool:
            before = super().is_set()
            self.set()
            return before

    watch = SourceWatch(tmp_path)
    watch._changed = SetWhileAsked()
    assert [watch.take(), watch.take()] == [False, True]


def test_source_topics_of_a_program_as_saved(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """In another process; global tables are read, too. None and the error for one that does not load."""
    program = tmp_path / "app.py"
    program.write_text(
        "from streams import App\n"
        "app = App('x')\n"
        "g = app.global_table('g', key=str, value=str)\n"
        "app.stream('a', key=str, value=str).group_by(lambda k, v: v).count(store='c').to_stream().to('b')\n"
    )
    assert source_topics(f"{program}:app") == ["a", "g"]
    program.write_text("import nothing_such")
    assert source_topics(f"{program}:app") is None
    assert "nothing_such" in capfd.readouterr().err
