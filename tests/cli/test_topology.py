"""`headrace topology` in every format."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Headrace

APP = """
from streams import App

app = App("words")
app.stream("lines", key=str, value=str).group_by_key().count(store="counts").to_stream().to("counts")
"""


@pytest.mark.parametrize(
    ("form", "beginning"),
    [
        ("text", "Topologies:\n   Sub-topology: 0\n    Source: lines (topics: [lines])\n"),
        ("mermaid", "flowchart LR\n"),
        ("dot", 'digraph "words" {\n'),
        ("json", '{\n  "application_id": "words",\n'),
        ("code", "# headrace words/0\n"),
    ],
)
def test_topology_is_printed_in_each_format_without_a_broker(
    form: str, beginning: str, headrace: Headrace, project: Path
) -> None:
    (project / "words.py").write_text(APP)
    done = headrace("topology", "words.py:app", "--format", form)
    assert done.exit_code == 0, done.stderr
    assert done.stdout.startswith(beginning)
    if form == "json":
        assert json.loads(done.stdout)["subtopologies"][0]["stores"][0]["name"] == "counts"


def test_topology_with_mistakes_prints_them_with_their_lines(headrace: Headrace, project: Path) -> None:
    (project / "words.py").write_text(APP + 'app.stream("lines", key=str, value=str).to("a b")\n')
    done = headrace("topology", "words.py:app")
    assert done.exit_code == 1
    assert "words.py:6" in done.stderr
    assert "topic name 'a b' is not legal" in done.stderr
