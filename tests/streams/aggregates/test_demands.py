"""Aggregates of values that can never be aggregated so: refused where the type is known, told with name and cure where
it is not."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any, Literal, TypedDict

import msgspec
import pydantic
import pytest

from streams import (
    App,
    F,
    ProcessingError,
    TopologyError,
    count,
    distinct,
    max_,
    mean,
    quantile,
    session,
    stddev,
    sum_,
    top_k,
)
from streams.aggregates.aggregate import Aggregate
from streams.testing import TopologyTestDriver


class Colour(Enum):
    RED = "red"


class Plain(msgspec.Struct):
    a: int


class Ordered(msgspec.Struct, order=True):
    a: int


class Value(msgspec.Struct):
    text: str
    maybe_text: str | None
    whole: int
    maybe: float | None
    exact: Decimal
    either: int | str
    word: Literal["a", "b"]
    numbers: list[int]
    by_name: dict[str, int]
    when: datetime
    lasting: timedelta
    colour: Colour
    plain: Plain
    ordered: Ordered
    anything: Any


class Model(pydantic.BaseModel):
    text: str


class Typed(TypedDict):
    text: str


@dataclasses.dataclass
class Data:
    text: str


def problems(kind: Any, aggregate: Aggregate) -> tuple[str, ...]:
    app = App("app")
    app.stream("in", key=str, value=kind).group_by_key().aggregate(x=aggregate, n=count())
    try:
        app.plan()
    except TopologyError as error:
        return tuple(problem.message for problem in error.problems)
    return ()


FIELDS = Value.__struct_fields__
NUMBERS = {"whole", "maybe", "exact", "either", "anything"}
WITHOUT_ORDER = {"by_name", "colour", "plain"}


@pytest.mark.parametrize(
    ("aggregate", "accepted"),
    [
        (sum_, NUMBERS),
        (mean, NUMBERS),
        (lambda field: quantile(field, 0.5), NUMBERS),
        (stddev, NUMBERS - {"exact"}),
        (max_, set(FIELDS) - WITHOUT_ORDER),
        (lambda field: top_k(field, k=2), set(FIELDS) - WITHOUT_ORDER),
        (distinct, set(FIELDS)),
    ],
)
def test_aggregate_of_a_field_accepts_the_types_it_can_work_with(
    aggregate: Callable[[Any], Aggregate], accepted: set[str]
) -> None:
    assert {field for field in FIELDS if not problems(Value, aggregate(getattr(F, field)))} == accepted


@pytest.mark.parametrize("kind", [Model, Typed, Data])
def test_sum_of_a_text_field_is_refused_whatever_declares_it(kind: Any) -> None:
    (problem,) = problems(kind, sum_(F.text))
    assert problem == (
        "x=sum_(F.text) needs numbers, but F.text is str: make a number of it first, such as with F.field.cast(float)"
    )


def test_mean_of_a_text_field_is_refused_over_a_table_and_over_windows() -> None:
    app = App("app")
    app.table("rows", key=str, value=Value).group_by(F.text).aggregate(x=mean(F.text))
    grouped = app.stream("in", key=str, value=Value).group_by_key()
    grouped.windowed_by(session(timedelta(1), grace=timedelta(0))).aggregate(x=mean(F.text))
    with pytest.raises(TopologyError) as caught:
        app.plan()
    assert [problem.message[:24] for problem in caught.value.problems] == ["x=mean(F.text) needs num"] * 2


def failure(value: dict[str, Any], **aggregates: Aggregate) -> str:
    app = App("app")
    app.stream("in", key=str, value=dict).group_by_key().aggregate(**aggregates)
    with TopologyTestDriver(app) as driver, pytest.raises(ProcessingError) as caught:
        driver.input_topic("in").pipe(value, key="k")
    return str(caught.value)


def test_text_in_a_sum_without_a_type_names_aggregate_field_and_both_types() -> None:
    said = failure({"a": 1, "c": "x"}, most=max_(F.a), a=sum_(F.a), a_1=sum_(F.c), n=count())
    assert "failed in a_1=sum_(F.c)" in said
    assert "'int' and 'str'; sum_ needs numbers: make a number of it first, such as with F.field.cast(float)" in said


def test_text_from_a_function_names_the_aggregate_of_the_function() -> None:
    def cents(value: Any) -> Any:
        return value["c"]

    assert "failed in total=sum_(cents)" in failure({"c": "x"}, total=sum_(cents))


def test_function_that_raises_a_type_error_is_to_blame_itself() -> None:
    def cents(value: Any) -> Any:
        return value["c"] + 1

    said = failure({"c": "x"}, total=sum_(cents))
    assert "cents (raised at" in said
    assert "make the function handle this record" in said
