"""Aggregates that keep models of pydantic and Faust, whose JSON is their own."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import faust
import pydantic
import pytest

from streams import App, F, Json, collect, first, last
from streams.serde import serde_for
from streams.testing import TopologyTestDriver


class Order(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(strict=True)

    id: UUID = pydantic.Field(alias="orderId")
    placed: datetime
    cents: int


class Point(faust.Record):
    x: int
    y: int = 0


class Noted(pydantic.BaseModel):
    order: Order


ORDERS = [
    Order(orderId=UUID(int=number), placed=datetime(2024, 5, number, tzinfo=UTC), cents=100 * number)
    for number in (1, 2, 3)
]
POINTS = [Point(x=number, y=-number) for number in (1, 2, 3)]


@pytest.mark.parametrize(("kind", "values"), [(Order, ORDERS), (Point, POINTS)], ids=["pydantic", "faust"])
def test_models_kept_by_aggregates_come_back_from_the_store_as_models(kind: Any, values: list[Any]) -> None:
    app = App("app")
    (
        app.stream("in", key=str, value=kind)
        .group_by_key()
        .aggregate(first=first(F.value), last=last(F.value), all=collect(F.value), store="kept")
        .to_stream()
        .to("out")
    )
    with TopologyTestDriver(app, stores="rocksdb") as driver:
        for value in values:
            driver.input_topic("in").pipe(value, key="k")
            driver.raw_store("kept").clean.clear()  # so that every record finds its row as bytes
        result = driver.output_topic("out").read_all()[-1].value
        row, _ = driver.rows("kept")["k"]
    assert (result.first, result.last, result.all) == (values[0], values[-1], values)
    assert (row.first, row.last, row.all) == (values[0], values[-1], values)


def test_json_of_models_inside_other_types_reads_what_it_wrote() -> None:
    for kind, value in (
        (list[Point], POINTS),
        (dict[str, Order], {"a": ORDERS[0]}),
        (tuple[Order | None, Point | None], (ORDERS[0], None)),
    ):
        serde = serde_for(kind, role="value")
        assert serde.deserialize(serde.serialize(value)) == value


def test_json_of_a_class_nobody_knows_is_an_error() -> None:
    with pytest.raises(NotImplementedError, match="JSON cannot hold a Opaque"):
        Json().serialize(Opaque())


class Opaque:
    pass
