"""The recorded behaviour of Apache Kafka Streams, on the operators that stand.

The vectors were recorded from Apache Kafka Streams 4.3.1 with its TopologyTestDriver; README.md says how to read them.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.adapter import BUILD_ERRORS, run_case
from tests.conformance.comparison import difference

VECTORS = Path(__file__).parent / "vectors"
FAMILIES = (
    "stateless",
    "aggregate",
    "window_time",
    "window_sliding",
    "window_session",
    "emit_final",
    "cogroup",
    "join_stream_table",
    "join_stream_stream",
    "table",
    "table_aggregate",
    "caching",
    "join_table_table",
    "join_global",
    "suppress",
    "join_foreign_key",
    "composed",
    "process",
    "stores",
    "versioned",
    "errors",
)
"""Families of which at least a part can be declared; cases that need more are told apart by NotImplementedError."""

LEAST = {
    "stateless": 43,
    "aggregate": 29,
    "window_time": 30,
    "window_sliding": 24,
    "window_session": 27,
    "emit_final": 23,
    "cogroup": 13,
    "join_stream_table": 26,
    "join_stream_stream": 79,
    "table": 27,
    "table_aggregate": 25,
    "caching": 4,
    "suppress": 30,
    "join_table_table": 30,
    "process": 21,
    "stores": 22,
    "join_global": 10,
    "versioned": 17,
    "errors": 21,
    "join_foreign_key": 23,
}
"""How many cases of a family must run, so that a translation that gives up too early is noticed."""


def cases(family: str) -> Iterator[dict[str, Any]]:
    with gzip.open(VECTORS / f"{family}.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            case = json.loads(line)
            if not case.get("quirk"):
                yield case


@pytest.mark.parametrize("way", ["memory", "rocksdb", "optimizations"])
@pytest.mark.parametrize("family", FAMILIES)
def test_vectors_of_a_family_give_the_recorded_results(family: str, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every case that can be declared comes out as recorded: records, timestamps, order, stores, errors."""
    if way == "optimizations":
        monkeypatch.setenv("CONFORMANCE_OPTIMIZATION", "all")
    else:
        monkeypatch.setenv("CONFORMANCE_STORES", way)
    check(family)


def check(family: str) -> None:
    failures: list[str] = []
    ran = 0
    for case in cases(family):
        try:
            result = run_case(case)
        except NotImplementedError:
            continue
        except BUILD_ERRORS as error:
            ran += 1
            if "expected_error" not in case:
                failures.append(f"{case['name']}: rejected: {error}")
            continue
        ran += 1
        if "expected_error" in case:
            failures.append(f"{case['name']}: should have been rejected")
            continue
        why = difference(case, *result)
        if why is not None:
            failures.append(f"{case['name']} ({case['doc']}): {why}")
    assert not failures, "\n".join(failures[:10])
    assert ran >= LEAST.get(family, 0)
