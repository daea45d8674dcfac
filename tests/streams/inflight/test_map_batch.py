"""What `map_batch` gives its function, when, and what it takes from it."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams import App, Json, ProcessingError, TopologyError
from streams.inflight import batch_values
from streams.testing import TopologyTestDriver
from tests.streams.examples import examples
from tests.streams.inflight.one_task import OneTask

MS = timedelta(milliseconds=1)


class Point(msgspec.Struct):
    x: float
    name: str


@dataclasses.dataclass
class Pair:
    x: float
    name: str


class Seen:
    """Keeps the batches it was called with, and adds one to each value."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []

    def __call__(self, values: list[int]) -> list[int]:
        self.batches.append(values)
        return [value + 1 for value in values]


def app_with(function: Any, value: Any = int, out: Any = None, **options: Any) -> App:
    app = App("app")
    app.stream("in", key=str, value=value).map_batch(function, value=out or Json(), **options).to("out")
    return app


def number(value: int) -> bytes:
    return value.to_bytes(8, "big", signed=True)


def test_batch_is_as_large_as_allowed_and_the_rest_waits_for_its_time() -> None:
    seen = Seen()
    with TopologyTestDriver(app_with(seen, max_size=3, max_wait=50 * MS), commit="manual") as driver:
        driver.input_topic("in").pipe_values([1, 2, 3, 4, 5], key="k")
        assert seen.batches == [[1, 2, 3]]
        driver.advance_wall_clock(49 * MS)
        assert len(seen.batches) == 1
        driver.advance_wall_clock(1 * MS)
        assert seen.batches == [[1, 2, 3], [4, 5]]
        assert [each.value for each in driver.output_topic("out").read_all()] == [2, 3, 4, 5, 6]


def test_batch_ends_at_the_commit() -> None:
    seen = Seen()
    with TopologyTestDriver(app_with(seen, max_size=30), commit="manual") as driver:
        driver.input_topic("in").pipe_values([1, 2], key="k")
        assert seen.batches == []
        driver.commit()
        assert [each.value for each in driver.output_topic("out").read_all()] == [2, 3]


@examples(25)
@given(sizes=st.lists(st.integers(1, 7), max_size=12), max_size=st.integers(1, 5), broken=st.sets(st.integers(0, 40)))
def test_only_records_that_fail_alone_are_left_out(sizes: list[int], max_size: int, broken: set[int]) -> None:
    def picky(values: list[int]) -> list[int]:
        if broken & set(values):
            raise ValueError("broken")
        assert len(values) <= max_size
        return values

    with OneTask(app_with(picky, max_size=max_size), may_skip=True) as task:
        count = 0
        for size in sizes:
            task.pipe(*(("k", number(i), i) for i in range(count, count + size)))
            count += size
        task.finish()
        assert [int(value) for _, _, value, *_ in task.sent] == [i for i in range(count) if i not in broken]
        failed = [failure.message.offset() for failure in task.failed if failure.message is not None]
        assert failed == sorted(i for i in broken if i < count)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (lambda values: values[1:], "a batch of 2 values needs as many results, got 1"),
        (lambda values: 5, "a batch needs a list with one result for each value, got int"),
        (lambda values: "ab", "a batch needs a list with one result for each value, got str"),
    ],
)
def test_answer_that_is_no_list_of_as_many_results_is_told(answer: Any, told: str) -> None:
    with TopologyTestDriver(app_with(answer, name="scores"), commit="manual") as driver:
        driver.input_topic("in").pipe_values([1, 2], key="k")
        with pytest.raises(ProcessingError, match=told) as caught:
            driver.commit()
    assert (caught.value.node, caught.value.offset) == ("scores", 0)


@pytest.mark.parametrize("kind", [Point, Pair, dict])
def test_numpy_gets_records_as_a_structured_array(kind: Any) -> None:
    numpy = pytest.importorskip("numpy")
    values = [kind(x=1.5, name="a"), kind(x=2.5, name="bc")]
    array = batch_values("numpy")(values)
    assert array.shape == (2,)
    assert array["x"].dtype == numpy.float64
    assert array["x"].tolist() == [1.5, 2.5]
    assert array["name"].tolist() == ["a", "bc"]


def test_numpy_gets_numbers_vectors_and_unequal_lists() -> None:
    numpy = pytest.importorskip("numpy")
    arrays = batch_values("numpy")
    assert arrays([1, 2]).dtype == numpy.int64
    assert arrays([[1.0, 2.0], [3.0, 4.0]]).shape == (2, 2)
    assert arrays([[1], [2, 3]]).dtype == object
    assert arrays([Point(1.0, "a"), None])["name"].tolist() == ["a", None]


def test_arrow_gets_a_table() -> None:
    tables = batch_values("arrow")
    table = tables([Point(1.0, "a"), None, Point(2.0, "b")])
    assert table.to_pydict() == {"x": [1.0, None, 2.0], "name": ["a", None, "b"]}
    assert tables([1, None]).to_pydict() == {"value": [1, None]}
    with pytest.raises(TypeError, match="has no columns: 5 is among them"):
        tables([Point(1.0, "a"), 5])


def test_model_gets_arrays_and_may_return_one() -> None:
    pytest.importorskip("numpy")
    for form, function in {
        "numpy": lambda batch: batch["x"] * 2,
        "arrow": lambda table: table["x"],
    }.items():
        app = app_with(function, value=Point, out=float, format=form)
        with TopologyTestDriver(app, commit="manual") as driver:
            driver.input_topic("in").pipe_values([Point(1.0, "a"), Point(2.0, "b")], key="k")
            driver.commit()
            factor = 2 if form == "numpy" else 1
            assert [each.value for each in driver.output_topic("out").read_all()] == [factor * 1.0, factor * 2.0]


def test_package_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> Any:
        raise ImportError(name)

    monkeypatch.setattr("streams.inflight.batch_format.import_module", missing)
    with pytest.raises(TopologyError, match=r'needs the package numpy: pip install "headrace\[numpy\]"'):
        app_with(Seen(), format="numpy").plan()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"max_size": 0}, "max_size must be a whole number from 1 on"),
        ({"max_wait": 0 * MS}, "max_wait must be positive"),
        ({"format": "pandas"}, "format='pandas' is none of 'list', 'numpy', 'arrow'"),
    ],
)
def test_options_that_make_no_sense_are_named(options: dict[str, Any], told: str) -> None:
    with pytest.raises(TopologyError, match=told):
        app_with(Seen(), **options).plan()


def test_async_function_is_sent_to_map_async() -> None:
    async def later(values: list[int]) -> list[int]:
        return values

    with pytest.raises(TopologyError, match="asynchronous ones are for map_async"):
        app_with(later).plan()
