"""Commands whose stderr is for machines."""

from __future__ import annotations

import json
import shutil
import signal
from pathlib import Path
from typing import Any

from tests.cli.command_directory import TIMEOUT_S, CommandDirectory

ROOT = Path(__file__).parents[2]


def lines(commands: CommandDirectory, text: str | None = None) -> list[dict[str, Any]]:
    """What was said, all of it JSON."""
    said = (commands.directory / "said.txt").read_text() if text is None else text
    return [json.loads(line) for line in said.splitlines()]


def test_dev_logs_json_of_all_its_processes(commands: CommandDirectory) -> None:
    """The command, its worker and what they tell people are objects, one a line; the worker's say whose they are."""
    shutil.copy(ROOT / "examples" / "word_count" / "app.py", commands.directory / "app.py")
    said = commands.directory / "said.txt"
    with said.open("w") as file:
        process = commands.start("dev", "app.py:app", "--log-format", "json", stderr=file)
        try:
            commands.wait_until(lambda: "tasks_running" in said.read_text(), "no task ran")
        finally:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=TIMEOUT_S)
    found = lines(commands)
    running = next(line for line in found if line.get("event") == "tasks_running")
    assert running["application_id"] == "word-count"
    assert running["worker"].startswith("word-count-")
    assert running["level"] == "info"
    assert any(line["message"].startswith("broker at ") for line in found)
    assert all({"time", "level", "logger", "message"} <= line.keys() for line in found)


def test_worker_that_cannot_start_says_why_in_json(commands: CommandDirectory) -> None:
    shutil.copy(ROOT / "examples" / "word_count" / "app.py", commands.directory / "app.py")
    done = commands.run("worker", "app.py:app", "--log-format", "json", "-b", "127.0.0.1:1")
    assert done.returncode == 1
    assert lines(commands, done.stderr)[-1]["level"] == "error"
    assert "127.0.0.1:1" in lines(commands, done.stderr)[-1]["message"]


def test_log_format_from_the_environment(commands: CommandDirectory) -> None:
    shutil.copy(ROOT / "examples" / "word_count" / "app.py", commands.directory / "app.py")
    commands.environment["HEADRACE_LOG_FORMAT"] = "json"
    done = commands.run("worker", "app.py:app", "-b", "127.0.0.1:1")
    assert lines(commands, done.stderr)[-1]["level"] == "error"


def test_command_without_logs_of_its_own_talks_as_ever(commands: CommandDirectory) -> None:
    """The environment is set for workers; what other commands say to people must not be lost."""
    commands.environment["HEADRACE_LOG_FORMAT"] = "json"
    done = commands.run("topics", "list", "-b", "127.0.0.1:1")
    assert done.returncode == 1
    assert done.stderr.startswith("Error: ")
