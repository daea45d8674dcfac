"""The golden scripts of `scripts/`: one behaviour of a group each, named after it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.broker.groups.machine import run_script

SCRIPTS = sorted((Path(__file__).parent / "scripts").glob("*.txt"))


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_group_script_runs_as_recorded(path: Path) -> None:
    """What happens is what the script says; HEADRACE_RECORD=1 writes it anew, for review."""
    text = path.read_text()
    actual = run_script(text)
    if os.environ.get("HEADRACE_RECORD") == "1":
        path.write_text(actual)
    assert actual == text
