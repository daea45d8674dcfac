"""A topology that is compiled again."""

from __future__ import annotations

from types import CodeType

from streams import App
from streams.testing import TopologyTestDriver


def adding(number: int) -> App:
    """Of equal text for all numbers."""
    app = App("adding")
    app.stream("in", key=str, value=int).map_values(lambda value: value + number, value=int).to("out")
    return app


def code(app: App) -> CodeType:
    (subtopology,) = app.plan().subtopologies
    return subtopology.program.build.__code__


def result(app: App) -> int:
    with TopologyTestDriver(app) as driver:
        driver.input_topic("in").pipe(1, key="k")
        return driver.output_topic("out").read().value


def test_topology_of_the_same_text_is_compiled_once_and_calls_its_own_functions() -> None:
    one, two = adding(1), adding(2)
    assert code(one) is code(two)
    assert (result(one), result(two), result(one)) == (2, 3, 2)
