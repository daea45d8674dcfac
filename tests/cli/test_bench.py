"""`headrace bench`: it measures, checks nothing away, and leaves nothing behind."""

from __future__ import annotations

from pathlib import Path

import msgspec

from tests.cli.conftest import Headrace


def test_bench_measures_both_jobs_and_leaves_nothing(headrace: Headrace, project: Path) -> None:
    """A rate for loading and for each job; the working directory is as before."""
    done = headrace("bench", "--events", "10000", "--partitions", "2", "--json")
    assert done.exit_code == 0, done.output
    rows = [msgspec.json.decode(line) for line in done.stdout.splitlines()]
    assert [row["job"] for row in rows] == ["load", "filter", "windows"]
    assert all(row["records_per_second"] > 0 for row in rows)
    assert [path.name for path in project.iterdir() if path.name != ".hypothesis"] == []
