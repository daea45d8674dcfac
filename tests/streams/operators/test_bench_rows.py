"""The rows of `python -m bench operators`: there is one for each operator, and each runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.operator_rows import ROWS, declare
from bench.operators import Loop, Records
from streams.operators.cogroup import Cogroup
from streams.testing.state_disk import MemoryStateDisk
from tests.streams.operators.test_contract import operators


def test_every_operator_has_a_bench_row() -> None:
    measured: set[str] = set()
    for row in ROWS:
        plan = declare(row).plan()
        nodes = [*(node for sub in plan.subtopologies for node in sub.nodes), *plan.global_tables]
        measured |= {type(node).__name__ for node in nodes}
    assert Cogroup.__name__ in measured
    assert {operator.__name__ for operator in operators()} - measured == set()


@pytest.mark.parametrize("row", ROWS)
def test_bench_row_runs_and_counts(row: str, tmp_path: Path) -> None:
    loop = Loop(declare(row), tmp_path, Records(60), lambda specs, _: MemoryStateDisk(specs))
    measured = loop.run(0, 60, counted=True)
    loop.close()
    assert measured.records == 60
    assert measured.calls > 0
