"""Table literals: what they say as inputs, and what their differences look like."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from textwrap import dedent
from typing import Any

import msgspec
import pydantic
import pytest

from streams import App, F, count, mean, tumbling
from streams.serde import Unknown
from streams.testing import TestRecord, TopologyTestDriver
from streams.testing.difference import difference
from streams.testing.table_literal import parse_table
from streams.windowed import Windowed


class Reading(msgspec.Struct):
    sensor: str
    celsius: float
    tags: list[str] = []
    place: str | None = None


@dataclasses.dataclass
class Point:
    x: int
    key: str


class Model(pydantic.BaseModel):
    n: int


def records(text: str, key: Any = str, value: Any = Unknown) -> list[Any]:
    return list(parse_table(text).records(key, value))


def test_table_cells_become_values_of_the_declared_types() -> None:
    text = """
        | key | timestamp | sensor | celsius | tags       | place |
        |-----|-----------|--------|---------|------------|-------|
        | 1   |         5 | 17     | 20      | ["a", "b"] |       |
        | b   |         6 |        |         |            |       |
        |     |           | "17"   | 2.5     |            | hall  |
    """
    assert records(text, str, Reading) == [
        ("1", Reading("17", 20.0, ["a", "b"]), 5),
        ("b", None, 6),
        (None, Reading("17", 2.5, [], "hall"), None),
    ]


def test_table_of_one_value_column_and_of_no_type() -> None:
    assert records("key | value\nk | 3\nk | ∅", str, int) == [("k", 3, None), ("k", None, None)]
    assert records('| key | value |\n| 7 | {"a": 1} |\n| 8 | text |', int) == [(7, {"a": 1}, None), (8, "text", None)]
    assert records("| value |\n| b |", value=bytes) == [(None, b"b", None)]
    assert records("| value |\n| b |", value=str) == [(None, "b", None)]
    assert records("| key | start | end | n |\n| k | 0 | 10 | 1 |") == [(Windowed("k", 0, 10), {"n": 1}, None)]


def test_table_of_models_dataclasses_and_fields_named_like_columns() -> None:
    assert records("| n |\n| 1 |", value=Model) == [(None, Model(n=1), None)]
    assert records("| key | x | value.key |\n| k | 1 | inner |", value=Point) == [("k", Point(1, "inner"), None)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "a table begins with a line of column names"),
        ("| a | a |\n| 1 | 2 |", "need names that differ"),
        ("| a | b |\n| 1 |", "'1' has 1 cells, but there are 2 columns"),
        ("| key | start |\n| k | 1 |", "needs both columns, start and end"),
        ("| celsius |\n| warm |", "row 1 of the table, 'warm', is no record"),
        ("| kelvin |\n| 5 |", "Reading has no field 'kelvin'; it has sensor, celsius, tags, place"),
    ],
)
def test_text_that_is_no_table_of_the_type_says_why(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        records(text, value=Reading)


FOUND = [
    TestRecord("a", Reading("s1", 20.0), 5),
    TestRecord("b", Reading("s2", 21.5), 6),
    TestRecord("c", None, 7),
]


def test_expectations_are_met_in_every_form() -> None:
    assert difference("it", FOUND, FOUND) is None
    assert difference("it", FOUND, [("a", FOUND[0].value), ("b", FOUND[1].value, 6), ("c", None)]) is None
    assert difference("it", FOUND, {record.key: record.value for record in FOUND}) is None
    assert difference("it", FOUND, "| key | celsius |\n| a | 20 |\n| b | 21.5 |\n| c | |") is None
    assert difference("it", FOUND, "| timestamp | sensor |\n| 5 | s1 |\n| 6 | s2 |\n| 7 | ∅ |") is None
    assert difference("it", FOUND, [FOUND[2], FOUND[0], FOUND[1]], ordered=False) is None
    assert difference("it", [], []) is None
    assert difference("it", [TestRecord("k", {"a": 1, "b": 2}, 0)], [("k", {"b": 2, "a": 1})]) is None


def test_difference_of_a_table_shows_both_lines_and_the_column() -> None:
    text = difference("topic 'out'", FOUND, "| key | celsius |\n| a | 20 |\n| b | 22 |\n| c | ∅ |\n| d | 1 |")
    assert text == dedent(
        """\
        topic 'out' is not as expected (- expected, + found):
          key | celsius
          a   | 20
        - b   | 22  <- celsius
        + b   | 21.5
          c   | ∅
        - d   | 1"""
    )


def test_difference_of_records_shows_fields_and_only_times_that_were_given() -> None:
    expected = [("a", Reading("s1", 20.0)), ("b", Reading("s2", 21.0), 6)]
    text = difference("topic 'out'", FOUND[:2], expected)
    assert text is not None
    assert text.splitlines()[1:] == [
        "  key | timestamp | sensor | celsius | tags | place",
        "  a   | any       | s1     | 20      | []   | ∅",
        "- b   | 6         | s2     | 21      | []   | ∅  <- celsius",
        "+ b   | 6         | s2     | 21.5    | []   | ∅",
    ]


def test_difference_of_nothing_and_of_types_is_said() -> None:
    nothing = difference("topic 'out'", [], [("a", 1)])
    assert nothing is not None
    assert nothing.splitlines()[-1] == "  (nothing was found)"
    types = difference("it", [TestRecord("a", "1", 0)], [("a", 1)])
    assert types is not None
    assert "reads the same but is of other types" in types
    assert "'1'" in types


def test_output_topic_and_driver_assert_with_a_difference() -> None:
    app = App("app")
    readings = app.stream("readings", key=str, value=Reading)
    (
        readings.group_by_key()
        .windowed_by(tumbling(timedelta(milliseconds=10), grace=timedelta(milliseconds=10)))
        .aggregate(n=count(), mean=mean(F.celsius), store="means")
        .to_stream()
        .to("means")
    )
    with TopologyTestDriver(app) as driver:
        driver.input_topic("readings").pipe_all(
            """
            | key | timestamp | sensor | celsius |
            | a   | 1         | s1     | 20      |
            | a   | 2         | s1     | 30      |
            | b   | 12        | s1     | 1       |
            """
        )
        expected = """
            | key | start | end | n | mean |
            | b   | 10    | 20  | 1 | 1    |
            | a   | 0     | 10  | 2 | 25   |
        """
        driver.store("means").assert_rows(expected)
        with pytest.raises(AssertionError, match="store 'means' is not as expected"):
            driver.store("means").assert_rows({})
        driver.output_topic("means").assert_table(expected)
        driver.output_topic("means").assert_empty()
        driver.input_topic("readings").pipe(Reading("s1", 3.0), key="b")
        with pytest.raises(AssertionError, match=r"- b +\| 10 +\| 20 +\| 2 +\| 9 +<- mean"):
            driver.assert_records("means", "| key | start | end | n | mean |\n| b | 10 | 20 | 2 | 9 |")
