"""The flaws that were recorded of Apache Kafka Streams, and what is done instead: docs/differs.md gives the reasons.

Each case of the family `quirks` has a decision here; what came out is compared step by step.
"""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from streams import Windowed
from tests.conformance.adapter import run_case

VECTORS = Path(__file__).parent / "vectors" / "quirks.jsonl.gz"
PAGE = Path(__file__).parents[2] / "docs" / "differs.md"

Step = list[tuple[Any, Any, int]]
"""(key, value, timestamp) of the records that an input brings out."""


def window(key: str, start: int, end: int) -> Windowed[str]:
    return Windowed(key, start, end)


DECISIONS: dict[str, list[Step]] = {
    # Final windows come out however far stream time has jumped.
    "quirks/emit-final-jump-tumbling": [
        [],
        [],
        [],
        [(window("a", 0, 10), "+1+3", 9), (window("b", 0, 10), "+2", 4)],
        [],
        [(window("a", 10, 20), "+5", 12), (window("c", 10, 20), "+4", 10)],
        [(window("b", 20, 30), "+6", 21)],
        [(window("a", 30, 40), "+7", 31)],
        [(window("c", 60, 70), "+8", 60)],
    ],
    "quirks/emit-final-jump-sliding": [
        [],
        [],
        [(window("a", 0, 5), "+1", 1), (window("b", 0, 5), "+2", 4)],
        [(window("a", 4, 9), "+3", 9)],
        [(window("c", 5, 10), "+4", 10)],
        [(window("a", 7, 12), "+3+5", 12), (window("a", 10, 15), "+5", 12)],
        [(window("b", 16, 21), "+6", 21)],
        [(window("a", 26, 31), "+7", 31)],
        [(window("c", 55, 60), "+8", 60)],
    ],
    # A record without a key meets nothing at once, as without grace.
    "quirks/left-join-grace-null-key-5": [[], [], [(None, "B-null", 2)], [("a", "A-x", 1)]],
    # A record waits for its partner until grace is over, and is never told both without and with one.
    "quirks/left_join-out-of-order-null": [[], [], [("a", "B-x", 6)], [("a", "A-y", 20)], [], [("b", "C-z", 4)], []],
    "quirks/outer_join-out-of-order-null": [[], [], [("a", "B-x", 6)], [("a", "A-y", 20)], [], [("b", "C-z", 4)], []],
    # Records of one moment are one session.
    "quirks/session-gap-0-no-grace": [
        [(window("a", 1, 1), 1, 1)],
        [(window("a", 1, 1), 2, 1)],
        [(window("a", 2, 2), 1, 2)],
        [(window("a", 2, 2), 2, 2)],
    ],
    # Windows of a single moment work.
    "quirks/sliding-difference-0": [
        [(window("a", 5, 5), "+1", 5)],
        [(window("a", 5, 5), "+1+2", 5)],
        [(window("a", 6, 6), "+3", 6)],
        [(window("a", 5, 5), "+1+2+4", 5)],
    ],
    "quirks/sliding-difference-0-single": [[(window("a", 5, 5), "+1", 5)]],
}


def quirks() -> dict[str, dict[str, Any]]:
    with gzip.open(VECTORS, "rt", encoding="utf-8") as lines:
        return {case["name"]: case for case in map(json.loads, lines)}


def test_quirks_recorded_have_a_decision_each() -> None:
    assert quirks().keys() == DECISIONS.keys()


def test_decisions_are_explained_to_users() -> None:
    """The page names each case."""
    page = PAGE.read_text()
    assert [name for name in DECISIONS if name.removeprefix("quirks/") not in page] == []


@pytest.mark.parametrize("stores", ["memory", "rocksdb"])
@pytest.mark.parametrize("name", DECISIONS)
def test_quirk_of_the_original_comes_out_as_decided(name: str, stores: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONFORMANCE_STORES", stores)
    try:
        outputs, _ = run_case(quirks()[name])
    except NotImplementedError as error:
        pytest.skip(f"cannot be declared yet: {error}")
    assert [[(key_of(record["key"]), record["value"], record["ts"]) for record in step] for step in outputs] == (
        DECISIONS[name]
    )


def key_of(key: Any) -> Any:
    return Windowed(key["key"], key["start"], key["end"]) if isinstance(key, dict) else key
