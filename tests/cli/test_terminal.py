"""What people are told to type."""

from __future__ import annotations

from pathlib import Path

import pytest

from streams.cli.terminal import command_name


@pytest.fixture
def command(tmp_path: Path) -> Path:
    command = tmp_path / ".venv" / "bin" / "headrace"
    command.parent.mkdir(parents=True)
    command.write_text("#!/bin/sh\n")
    command.chmod(0o755)
    return command


def test_command_name_not_on_the_path_is_the_way_from_here(command: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", [str(command), "demo"])
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.chdir(command.parents[2])
    assert command_name() == ".venv/bin/headrace"


def test_command_name_on_the_path_is_the_plain_name(command: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", [str(command), "demo"])
    monkeypatch.setenv("PATH", str(command.parent))
    assert command_name() == "headrace"


def test_command_name_started_as_a_module_is_the_plain_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["/site-packages/streams/cli/__main__.py"])
    assert command_name() == "headrace"
