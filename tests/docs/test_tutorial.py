"""The tutorial is worked through, from its first page to its last: every file, every command, every output."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.markdown import BLOCK, DOCS
from tests.docs.reader import reader
from tests.docs.story import Saved, Typed, matches, pattern, place_of, steps

INDEX = DOCS / "tutorial" / "index.md"
CHAPTERS = [
    INDEX.parent / name for name in re.findall(r"^\d\. \[[^\]]*\]\((\w+\.md)\)", INDEX.read_text(), re.MULTILINE)
]


@pytest.mark.timeout(900)
def test_tutorial_shows_what_its_reader_sees(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In one directory, with the broker, the workers and the state that the reader has at each place."""
    with reader(tmp_path, monkeypatch) as person:
        for step in steps(CHAPTERS):
            person.does(step)
        assert person.terminals == {}, "the last page leaves nothing running"


def test_tutorial_has_all_its_chapters_in_the_index() -> None:
    """Pages beside the index are chapters, and there is something in each."""
    assert {page.name for page in INDEX.parent.glob("*.md")} == {INDEX.name, *(page.name for page in CHAPTERS)}
    assert all(list(steps([page])) for page in CHAPTERS)


def test_blocks_of_code_in_the_tutorial_are_all_followed() -> None:
    """Python is saved in a file; what is typed stands in a console. Only `sh` is looked at, not done."""
    for page in CHAPTERS:
        for block in BLOCK.finditer(page.read_text()):
            assert block["language"] in ("console", "sh") or block["title"], f"{page.name}: {block[0]}"


@pytest.mark.parametrize(
    ("shown", "seen"),
    [
        (["a 1"], ["a 2"]),
        (["a"], ["a", "b"]),
        (["a", "b"], ["a"]),
        (["broker at 127.0.0.1:9092"], ["broker at 127.0.0.1:x"]),
        (["2026-05-01T00:00:00Z"], ["2026-05-01T00:00:01Z"]),
    ],
)
def test_output_that_differs_is_found_out(shown: list[str], seen: list[str]) -> None:
    """The comparison can fail."""
    assert not matches(shown, seen)


@pytest.mark.parametrize(
    ("shown", "seen"),
    [
        (["a … c"], ["a b c"]),
        (["a", "…", "z"], ["a", "b", "y", "z"]),
        (["a", "…"], ["a", "b"]),
        (["…", "z"], ["y", "z"]),
        (["broker at 127.0.0.1:9092"], ["broker at 127.0.0.1:36011"]),
        (["3 passed in 0.12s"], ["3 passed in 1.07s"]),
        (["03:12:00 INFO  x"], ["14:00:59 INFO    x"]),
    ],
)
def test_output_that_differs_where_it_may_is_the_same(shown: list[str], seen: list[str]) -> None:
    assert matches(shown, seen)


def test_lines_of_a_running_program_are_found_in_their_order() -> None:
    """Other lines may stand between them."""
    assert place_of(["b", "d"], ["a", "b", "c", "d", "e"]) == 4
    assert place_of(["d", "b"], ["a", "b", "c", "d", "e"]) is None
    assert re.fullmatch(pattern("running 0_0"), "running 0_1") is None


def test_steps_of_a_page_are_its_files_and_commands(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        '```python title="app.py"\nx = 1\n```\n```console title="Terminal 1"\n$ run\nup\n```\n'
        '```console title="Terminal 1"\nlater\n^C\nbye\n```\n```sh\nls\n```\n```console\n$ ls\napp.py\n```\n'
    )
    assert list(steps([page])) == [
        Saved("app.py", "x = 1\n", None, "page.md:1"),
        Typed("Terminal 1", "run", ("up",), "page.md:4"),
        Typed("Terminal 1", None, ("later",), "page.md:8"),
        Typed("Terminal 1", "^C", ("bye",), "page.md:8"),
        Typed("Terminal 2", "ls", ("app.py",), "page.md:16"),
    ]
