"""A directory to run `headrace` in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.command_directory import CommandDirectory, command_directory


@pytest.fixture
def commands(tmp_path: Path) -> Iterator[CommandDirectory]:
    with command_directory(tmp_path) as commands:
        yield commands
