"""Random cases are the same from the same seed, whole, and of many kinds. None of this needs Java."""

from __future__ import annotations

from pathlib import Path

import pytest

from streams import App
from tests.conformance.adapter import Translation
from tests.streams_cases.case import SOURCES, references, topics
from tests.streams_cases.explained import EXPLAINED
from tests.streams_cases.generator import COMPOSED, NAMES, generated

PAGE = Path(__file__).parents[2] / "docs" / "differs.md"


@pytest.mark.parametrize("family", NAMES)
def test_case_of_one_seed_is_the_same_each_time(family: str) -> None:
    """A difference can be looked at again."""
    assert generated(family, 5) == generated(family, 5)
    assert generated(family, 5) != generated(family, 6)


@pytest.mark.parametrize("family", NAMES)
def test_case_generated_refers_to_what_was_declared_before(family: str) -> None:
    for seed in range(5):
        case = generated(family, seed)
        declared: set[str] = set()
        for op in case["topology"]:
            assert {identity.split(".")[0] for identity in references(op)} <= declared
            declared.update([op["id"]] if "id" in op else [])
        assert {step["topic"] for step in case["inputs"] if "topic" in step} <= topics(case)


@pytest.mark.parametrize("family", NAMES)
def test_case_generated_can_be_declared_on_headrace(family: str) -> None:
    """Each op is translated, and the topology not refused: or nothing would be compared."""
    translation = Translation(App("case"))
    for op in generated(family, 3)["topology"]:
        translation.apply(op)


def test_composed_cases_have_operators_of_all_kinds() -> None:
    met = {op["op"] for seed in range(100) for op in generated(COMPOSED, seed)["topology"]}
    assert met >= {
        *SOURCES,
        "merge",
        "split",
        "cogroup",
        "window",
        "reduce",
        "suppress",
        "outer_join",
        "fk_join",
        "process",
    }


def test_explained_differences_have_rows_in_the_page() -> None:
    """What is passed over is told to users."""
    rows = PAGE.read_text().splitlines()
    missing = [each.name for each in EXPLAINED if not any(row.startswith(f"| {each.row}") for row in rows)]
    assert missing == []
