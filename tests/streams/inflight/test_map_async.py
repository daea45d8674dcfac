"""How `map_async` calls its function: how many at a time, again after errors, not for ever."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams import App, Context, Json, ProcessingError, TopologyError
from streams.testing import TopologyTestDriver
from tests.streams.examples import examples
from tests.streams.inflight.one_task import OneTask

MS = timedelta(milliseconds=1)


def number(value: int) -> bytes:
    return value.to_bytes(8, "big", signed=True)


def records(count: int) -> list[tuple[str, bytes, int]]:
    return [("k", number(i), i) for i in range(count)]


def app_with(function: Any, **options: Any) -> App:
    app = App("app")
    app.stream("in", key=str, value=int).map_async(function, value=Json(), **options).to("out")
    return app


class Counted:
    """A function that knows how many calls of it run at a time."""

    def __init__(self) -> None:
        self.running = self.most = self.calls = 0

    async def __call__(self, value: int) -> int:
        self.calls += 1
        self.running += 1
        self.most = max(self.most, self.running)
        await asyncio.sleep(value * 13 % 7 / 1000)
        self.running -= 1
        return value


@pytest.mark.parametrize("concurrency", [1, 2, 5])
def test_calls_at_a_time_are_as_many_as_allowed_and_input_waits(concurrency: int) -> None:
    function = Counted()
    with OneTask(app_with(function, concurrency=concurrency)) as task:
        task.pipe(*records(30))
        assert task.taken == task.in_flight == concurrency
        while task.taken < 30:
            task.work(1.0)
            assert task.in_flight <= concurrency
        task.finish()
        assert [int(value) for _, _, value, *_ in task.sent] == list(range(30))
    assert function.most == concurrency
    assert function.calls == 30


def test_records_that_one_record_becomes_are_called_for_as_room_comes() -> None:
    function = Counted()
    app = App("app")
    several = app.stream("in", key=str, value=int).flat_map_values(lambda v: range(9), value=int)
    several.map_async(function, concurrency=2, value=int).to("out")
    with OneTask(app) as task:
        task.pipe(("k", number(0), 0))
        assert task.in_flight == 9
        task.finish()
        assert len(task.sent) == 9
    assert function.most == 2


def test_result_waits_for_those_before_it() -> None:
    async def slow_first(value: int) -> int:
        await asyncio.sleep(1.0 if value == 0 else 0.001)
        return value

    with OneTask(app_with(slow_first, concurrency=4)) as task:
        task.pipe(*records(4))
        task.work(0.5)  # the others have answered
        assert task.sent == []
        assert task.in_flight == 4
        task.finish()
        assert [ts for *_, ts, _ in task.sent] == [0, 1, 2, 3]


def test_key_timestamp_headers_and_context_are_the_records_own() -> None:
    async def told(key: str, value: int, context: Context) -> list[Any]:
        return [key, value, context.topic, context.offset, context.timestamp]

    with TopologyTestDriver(app_with(told)) as driver:
        topic = driver.input_topic("in")
        topic.pipe(1, key="a", timestamp=5, headers=[("h", b"1")])
        topic.pipe(2, key=None, timestamp=3)
        found = driver.output_topic("out").read_all()
    assert [(each.key, each.value, each.timestamp) for each in found] == [
        ("a", ["a", 1, "in", 0, 5], 5),
        (None, [None, 2, "in", 1, 3], 3),
    ]
    assert list(found[0].headers) == [("h", b"1")]


class Flaky:
    """Fails so many times before it answers; knows when it was called, by the loop's clock in ms."""

    def __init__(self, failures: int) -> None:
        self.failures = failures
        self.times: list[float] = []

    async def __call__(self, value: int) -> int:
        self.times.append(asyncio.get_running_loop().time() * 1000)
        if len(self.times) <= self.failures:
            raise ConnectionError("not there")
        return value


def test_function_that_fails_is_called_again_after_growing_waits() -> None:
    flaky = Flaky(4)
    app = app_with(flaky, retries=4, backoff=100 * MS, max_backoff=300 * MS)
    with TopologyTestDriver(app) as driver:
        driver.input_topic("in").pipe(7, key="k")
        assert driver.output_topic("out").read().value == 7
    waits = [after - before for before, after in zip(flaky.times, flaky.times[1:])]
    assert waits == [pytest.approx(wait, abs=30) for wait in (100, 200, 300, 300)]


def test_error_of_the_last_retry_is_the_records() -> None:
    flaky = Flaky(9)
    app = app_with(flaky, retries=2, name="asking")
    with (
        TopologyTestDriver(app) as driver,
        pytest.raises(ProcessingError, match="ConnectionError: not there") as caught,
    ):
        driver.input_topic("in").pipe(7, key="k")
    error = caught.value
    assert len(flaky.times) == 3
    assert (error.node, error.key, error.topic, error.partition, error.offset) == ("asking", "k", "in", 0, 0)
    assert "Flaky" in (error.function or "")


def test_call_that_takes_too_long_is_ended_and_named() -> None:
    ended: list[int] = []

    async def hangs(value: int) -> int:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            ended.append(value)
            raise
        return value

    app = app_with(hangs, retries=1, timeout=500 * MS)
    with (
        TopologyTestDriver(app) as driver,
        pytest.raises(ProcessingError, match=r"no answer within 500 ms \(attempt 2 of 2\)") as caught,
    ):
        driver.input_topic("in").pipe(7, key="k")
    assert ended == [7, 7]
    assert "hangs" in (caught.value.function or "")


def test_function_that_cancels_itself_fails_its_record_only() -> None:
    async def cancels(value: int) -> int:
        if value == 1:
            raise asyncio.CancelledError
        return value

    with OneTask(app_with(cancels), may_skip=True) as task:
        task.pipe(*records(3))
        task.finish()
        assert [failure.message.offset() for failure in task.failed if failure.message is not None] == [1]
        assert [int(value) for _, _, value, *_ in task.sent] == [0, 2]


@examples(25)
@given(
    plan=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 4)), max_size=30),
    concurrency=st.integers(1, 6),
    retries=st.integers(0, 3),
)
def test_records_whose_calls_fail_for_good_are_those_left_out(
    plan: list[tuple[int, int]], concurrency: int, retries: int
) -> None:
    """For each record: how long its calls take, and how many of them fail."""
    attempts = [0] * len(plan)

    async def planned(value: int) -> int:
        takes, failures = plan[value]
        attempts[value] += 1
        attempt = attempts[value]
        await asyncio.sleep(takes / 1000)
        if attempt <= failures:
            raise ConnectionError(f"attempt {attempt}")
        return value

    app = app_with(planned, concurrency=concurrency, retries=retries, backoff=MS)
    with OneTask(app, may_skip=True) as task:
        task.pipe(*records(len(plan)))
        task.finish()
        left_out = [i for i, (_, failures) in enumerate(plan) if failures > retries]
        assert [failure.message.offset() for failure in task.failed if failure.message] == left_out
        assert [int(value) for _, _, value, *_ in task.sent] == [i for i in range(len(plan)) if i not in left_out]
    assert attempts == [min(failures, retries) + 1 for _, failures in plan]


def test_driver_waits_for_threads_in_real_time() -> None:
    """The loop's clock must not run on to the time limit while a thread works."""

    def work(value: int) -> int:
        return value + 1

    async def elsewhere(value: int) -> int:
        return await asyncio.to_thread(work, value)

    with TopologyTestDriver(app_with(elsewhere, timeout=20_000 * MS)) as driver:
        driver.input_topic("in").pipe_values([1, 2], key="k")
        assert [each.value for each in driver.output_topic("out").read_all()] == [2, 3]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"concurrency": 0}, "concurrency must be a whole number from 1 on, got 0"),
        ({"retries": -1}, "retries must be a whole number from 0 on, got -1"),
        ({"timeout": 0 * MS}, "timeout must be positive"),
        ({"backoff": 5}, "backoff must be a timedelta"),
    ],
)
def test_options_that_make_no_sense_are_named(options: dict[str, Any], told: str) -> None:
    with pytest.raises(TopologyError, match=told):
        app_with(Counted(), **options).plan()


def test_plain_function_is_told_to_be_none() -> None:
    with (
        TopologyTestDriver(app_with(lambda value: value)) as driver,
        pytest.raises(ProcessingError, match="needs an async function"),
    ):
        driver.input_topic("in").pipe(1, key="k")
