"""Every row of the page of faults names a test that is there."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "faults.md"
ROW = re.compile(r"^\| (?P<fault>.+?) \| (?P<outcome>.+?) \| `(?P<file>[\w/]+\.py)::(?P<test>\w+)` \|$")
HEADS = ("| what goes wrong |", "|---|")
LINES = [line for line in PAGE.read_text().splitlines() if line.startswith("|") and not line.startswith(HEADS)]


@cache
def names_in(file: str) -> frozenset[str]:
    path = ROOT / file
    if not path.exists():
        return frozenset()
    tree = ast.parse(path.read_text())
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef))


def test_page_has_rows() -> None:
    """A page that lost its table would pass otherwise."""
    assert len(LINES) > 40


@pytest.mark.parametrize("line", LINES)
def test_row_names_a_test_that_exists(line: str) -> None:
    row = ROW.match(line)
    assert row is not None, "a row is: fault, outcome, `file::test`"
    assert row["test"] in names_in(row["file"]), f"{row['file']} has no {row['test']}"


def test_row_of_a_test_that_does_not_exist_is_found_out() -> None:
    """The check above can fail."""
    assert "test_no_such_thing" not in names_in("tests/docs/test_faults.py")
    assert "test_page_has_rows" in names_in("tests/docs/test_faults.py")
    assert names_in("tests/no_such_file.py") == frozenset()
