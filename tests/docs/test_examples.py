"""Every program in examples/ does what its first line says."""

from __future__ import annotations

import ast
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from streams import App, Windowed
from streams.render import describe
from streams.testing import TopologyTestDriver

EXAMPLES = Path(__file__).parents[2] / "examples"
MINUTE = 60_000


def load(name: str) -> ModuleType:
    """The example as a module of its own."""
    spec = importlib.util.spec_from_file_location(f"example_{name}", EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_every_example_is_tested_here() -> None:
    """A new file in examples/ needs a test of its own."""
    tested = Path(__file__).read_text()
    assert [f.stem for f in EXAMPLES.glob("*.py") if f'load("{f.stem}")' not in tested] == []


@pytest.mark.parametrize("file", sorted(EXAMPLES.glob("*.py")), ids=lambda file: file.stem)
def test_example_opens_with_what_it_shows_and_how_to_run_it(file: Path) -> None:
    """One sentence, then commands that can be copied."""
    text = ast.get_docstring(ast.parse(file.read_text()))
    assert text is not None
    assert text.splitlines()[0].endswith(".")
    assert f"headrace dev examples/{file.name}:app" in text


def test_word_count_counts_words() -> None:
    """Every occurrence gives the new count of its word."""
    with TopologyTestDriver(load("word_count").app) as driver:
        driver.input_topic("sentences").pipe("to be or not to be")
        counts = [(record.key, record.value) for record in driver.output_topic("counts").read_all()]
    assert counts == [("to", 1), ("be", 1), ("or", 1), ("not", 1), ("to", 2), ("be", 2)]


def test_flight_delays_aggregates_by_state_and_day() -> None:
    """Flights count where they departed; a flight from an unknown airport is left out."""
    example = load("flight_delays")
    day = 978307200000
    with TopologyTestDriver(example.app) as driver:
        for code, state in (("LAX", "CA"), ("SFO", "CA"), ("SEA", "WA")):
            driver.input_topic("airports").pipe(example.Airport(code, "", state), key=code)
        for origin, delay, minute in (("LAX", 10, 1), ("SFO", 20, 2), ("SEA", 5, 3), ("XXX", 9, 4), ("LAX", -6, 5)):
            flight = example.Flight(day + minute * MINUTE, origin, "JFK", delay, 2500)
            driver.input_topic("flights").pipe(flight, key=origin)
        updates = driver.output_topic("delays").read_all()
    newest = {record.key: record.value for record in updates}
    california = newest[Windowed("CA", day, day + 24 * 60 * MINUTE)]
    assert (california.flights, california.mean_delay, california.worst) == (3, 8.0, 20)
    assert len(updates) == 4


def test_flight_delays_is_the_demos_program() -> None:
    """The example, the demo and the README show one and the same topology."""
    from streams.demo.flight_delays import app

    assert describe(load("flight_delays").app.plan()) == describe(app.plan())


def test_temperature_alerts_go_to_one_topic_each() -> None:
    """The first branch that fits takes the reading; cool ones go nowhere."""
    example = load("temperature_alerts")
    with TopologyTestDriver(example.app) as driver:
        for celsius in (20.0, 70.0, 100.0, 130.0):
            driver.input_topic("readings").pipe(example.Reading("boiler", celsius), key="boiler")
        found = {
            topic: [record.value.celsius for record in driver.output_topic(topic).read_all()]
            for topic in ("notices", "warnings", "alarms")
        }
    assert found == {"notices": [70.0], "warnings": [100.0], "alarms": [130.0]}


def test_page_views_count_in_each_window_they_fall_into() -> None:
    """Five minutes, renewed every minute: five windows for each view."""
    example = load("page_views")
    at = 1_700_000_040_000
    with TopologyTestDriver(example.app) as driver:
        driver.input_topic("views").pipe(example.View("ann", "/home", at))
        windows = [record.key.start for record in driver.output_topic("views-by-page").read_all()]
    assert windows == [at - minutes * MINUTE for minutes in (4, 3, 2, 1, 0)]


def test_customer_totals_add_up_and_know_the_name() -> None:
    """An order before its customer is known counts all the same."""
    example = load("customer_totals")
    with TopologyTestDriver(example.app) as driver:
        orders = driver.input_topic("orders")
        orders.pipe(example.Order("c1", 100), key="c1")
        driver.input_topic("customers").pipe(example.Customer("Ann", "NL"), key="c1")
        orders.pipe(example.Order("c1", 250), key="c1")
        totals = [(t.value.name, t.value.cents) for t in driver.output_topic("totals").read_all()]
    assert totals == [("unknown", 100), ("Ann", 350)]


def test_app_is_there_in_each_example() -> None:
    """`headrace dev FILE:app` finds it."""
    for file in EXAMPLES.glob("*.py"):
        assert isinstance(load(file.stem).app, App)
