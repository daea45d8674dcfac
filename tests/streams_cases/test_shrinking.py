"""The smaller case still shows what the larger one showed. What that is, is made up here: nobody is asked."""

from __future__ import annotations

from typing import Any

from tests.streams_cases.case import Case, references
from tests.streams_cases.generator import COMPOSED, generated
from tests.streams_cases.shrinking import shrunk


def ops_of(case: Case) -> list[str]:
    return [op["op"] for op in case["topology"]]


def inputs(*values: Any) -> list[dict[str, Any]]:
    return [{"topic": "in", "key": "a", "value": value, "ts": number} for number, value in enumerate(values)]


PIPELINE: Case = {
    "name": "pipeline",
    "config": {"optimization": "all"},
    "topology": [
        {"op": "stream", "id": "n1", "topic": "in"},
        {"op": "stream", "id": "n2", "topic": "other"},
        {"op": "filter", "id": "n3", "of": "n1", "pred": "even"},
        {"op": "merge", "id": "n4", "left": "n3", "right": "n2"},
        {"op": "to_table", "id": "n5", "of": "n4", "store": "rows"},
        {"op": "to_stream", "id": "n6", "of": "n5"},
        {"op": "to", "of": "n6", "topic": "out1"},
        {"op": "to", "of": "n2", "topic": "out2"},
    ],
    "inputs": [*inputs(1, 2, 3, 4, 5, 6, 7), {"topic": "other", "key": "a", "value": 8, "ts": 8}],
}


def test_shrinking_keeps_the_one_input_and_the_one_operator_that_matter() -> None:
    """Everything else goes: other inputs, operators before and behind, the second sink, options, settings."""

    def shows(case: Case) -> bool:
        return "to_table" in ops_of(case) and any(step["value"] == 5 for step in case["inputs"])

    small = shrunk(PIPELINE, shows)
    assert ops_of(small) == ["stream", "to_table", "to"]
    assert [step["value"] for step in small["inputs"]] == [5]
    assert "store" not in small["topology"][1]
    assert "config" not in small


def test_shrinking_keeps_inputs_that_matter_together() -> None:
    """Neither half shows it alone."""
    small = shrunk(PIPELINE, lambda case: {2, 7} <= {step["value"] for step in case["inputs"]})
    assert [step["value"] for step in small["inputs"]] == [2, 7]


def test_shrinking_leaves_a_case_that_cannot_be_smaller() -> None:
    assert shrunk(PIPELINE, lambda case: False) == PIPELINE


def test_shrinking_asks_as_often_as_it_may() -> None:
    """Each time a case runs twice; a difference has to be told in seconds."""
    asked: list[Case] = []
    shrunk(PIPELINE, lambda case: asked.append(case) is None, attempts=3)
    assert len(asked) == 3


def test_shrinking_a_random_case_keeps_it_whole() -> None:
    """Whatever is taken out, ops refer to those before them."""
    for seed in range(5):
        case = generated(COMPOSED, seed)
        wanted = case["topology"][len(case["topology"]) // 2]["op"]
        small = shrunk(case, lambda candidate, wanted=wanted: wanted in ops_of(candidate))
        declared: set[str] = set()
        for op in small["topology"]:
            assert {identity.split(".")[0] for identity in references(op)} <= declared
            declared.update([op["id"]] if "id" in op else [])
        assert wanted in ops_of(small)
        assert len(small["topology"]) <= len(case["topology"])
