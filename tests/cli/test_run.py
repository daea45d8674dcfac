"""`headrace run --until-end`: processes what is there, through repartition topics, and ends."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Headrace

APP = """
from streams import App
app = App("{0}")
words = app.stream("{0}-in", key=str, value=str)
words.group_by(lambda _key, word: word).count(store="counts").to_stream().to("{0}-out")
"""


def test_run_until_end_processes_everything_and_ends(on_broker: Headrace, project: Path, topic: str) -> None:
    """Each word is counted once over two runs; an empty partition is no obstacle."""
    (project / "app.py").write_text(APP.format(topic))
    for name in ("in", "out"):
        on_broker("topics", "create", f"{topic}-{name}", "--partitions", "2")
    on_broker("produce", f"{topic}-in", "--key", "k", "to", "be", "or", "not", "to", "be")
    done = on_broker("run", "app.py:app", "--until-end")
    assert done.exit_code == 0, done.output
    assert "everything that was there is processed" in done.stderr
    on_broker("produce", f"{topic}-in", "--key", "k", "be")
    assert on_broker("run", "app.py:app", "--until-end").exit_code == 0
    out = on_broker("consume", f"{topic}-out", "--until-end", "--value-type", "int").stdout
    counted = [tuple(line.split("\t")[1:]) for line in out.splitlines()]
    assert sorted(counted) == sorted(
        [("to", "1"), ("be", "1"), ("or", "1"), ("not", "1"), ("to", "2"), ("be", "2"), ("be", "3")]
    )
