"""The runtime on the bundled broker, four partitions, against the oracles, while workers come and go.

`python -m tests.soak.oracles` makes many such runs.
"""

from __future__ import annotations

from tests.streams.runtime import oracle_run
from tests.streams.runtime.bench import Bench


def test_runtime_with_four_partitions_equals_the_oracles(bench: Bench) -> None:
    assert oracle_run.run(bench, seed=1, count=400) == []
