"""`headrace new`: what it writes runs, and its test passes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import msgspec

from tests.cli.command_directory import TIMEOUT_S, CommandDirectory
from tests.cli.conftest import Headrace
from tests.cli.test_running import running, wait_for_text

ROOT = Path(__file__).parents[2]


def test_new_project_runs_as_its_readme_says(commands: CommandDirectory) -> None:
    """Its commands, in their order: dev, produce, consume, query."""
    assert commands.run("new", "orders").returncode == 0
    commands.directory /= "orders"
    with running(commands, "dev", "app.py:app"):
        wait_for_text(commands, "running 0_0, 1_0")
        assert commands.run("produce", "orders", '{"customer": "ann", "amount": 12.5}').returncode == 0
        commands.wait_until(lambda: commands.ask("query", "totals", "ann").returncode == 0, "the store does not answer")
        row = msgspec.json.decode(commands.run("query", "totals", "ann").stdout)
        assert row["value"] == {"orders": 1, "spent": 12.5}
        out = commands.run("consume", "customer-totals", "--until-end").stdout
        assert out.split("\t")[1:] == ["ann", '{"orders":1,"spent":12.5}\n']


def test_new_project_passes_its_own_test(headrace: Headrace, project: Path) -> None:
    """With the plugin's fixture, as `pytest` in the new directory finds it."""
    assert headrace("new", "jobs/orders").exit_code == 0
    command = [sys.executable, "-m", "pytest", "-q", "-p", "streams.pytest_plugin", "-p", "no:headrace"]
    done = subprocess.run(
        [*command, "-p", "no:cacheprovider"],
        cwd=project / "jobs" / "orders",
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
    )
    assert done.returncode == 0, done.stdout
    assert "1 passed" in done.stdout


def test_new_into_what_is_there_touches_nothing(headrace: Headrace, project: Path) -> None:
    """Neither a file nor a directory that holds something; an empty one is welcome."""
    (project / "orders").mkdir()
    (project / "orders" / "app.py").write_text("mine")
    done = headrace("new", "orders")
    assert (done.exit_code, "not an empty directory" in done.stderr) == (2, True)
    assert [path.name for path in (project / "orders").iterdir()] == ["app.py"]
    (project / "empty").mkdir()
    assert headrace("new", "empty").exit_code == 0


def test_new_with_a_name_no_application_can_have_is_refused(headrace: Headrace) -> None:
    done = headrace("new", "my orders")
    assert (done.exit_code, "'my orders' cannot be a project's name" in done.stderr) == (2, True)
