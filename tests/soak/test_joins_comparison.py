"""The joins flow's topology, answer and comparison agree where nothing goes wrong, and else do not."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
import pytest

from streams.testing import TopologyTestDriver
from tests.soak.joins.answer import region_windows
from tests.soak.joins.comparison import FINALS, KINDS, LOCAL, OUTPUTS, TABLE_KINDS, Comparison, Shown
from tests.soak.joins.events import END, Input, make_input
from tests.soak.joins.topology import app
from tests.soak.verdict import OutputCheck

RECORDS = 1_500
ShownInOne = Mapping[tuple[str, int], list[Shown]]


@pytest.fixture(scope="module")
def records() -> list[Input]:
    """With readings of one partition only, as the driver has but one."""
    return [each for each in make_input(7, RECORDS) if each.topic != "readings" or each.partition == 0]


@pytest.fixture(scope="module")
def shown(records: list[Input]) -> ShownInOne:
    with TopologyTestDriver(app) as driver:
        for record in records:
            driver.input_topic(record.topic).pipe(record.value, key=record.key, timestamp=record.ts)
        shown = {
            (topic, 0): [
                (each.key, msgspec.to_builtins(each.value), each.timestamp)
                for each in driver.output_topic(topic).read_all()
            ]
            for topic in OUTPUTS
        }
    # Behind a single task there are no watermarks, and what follows the outer join gets it out of order: without a
    # grace, as it is here, it drops what several tasks would not.
    found = region_windows(records).items()
    return {**shown, ("regions", 0): [(key, [start, end, met], end) for (key, start, end), met in found]}


@pytest.fixture(scope="module")
def comparison(records: list[Input]) -> Comparison:
    return Comparison(records)


def check_of(comparison: Comparison, shown: ShownInOne, output: str) -> OutputCheck:
    return next(check for check in comparison.checks(shown) if check.output == output)


def place_in(shown: ShownInOne, output: str) -> int:
    """Of the last record that says something: no deletion, and not of those that close windows."""
    records = shown[output, 0]
    return max(place for place, (key, value, _) in enumerate(records) if value is not None and not key.startswith(END))


def test_joins_comparison_of_the_driver_is_exact(comparison: Comparison, shown: ShownInOne) -> None:
    for check in comparison.checks(shown):
        assert check.exact, check
        assert check.expected > 0, check


@pytest.mark.parametrize("output", OUTPUTS)
def test_joins_comparison_without_the_last_result_of_a_key_is_not_exact(
    comparison: Comparison, shown: ShownInOne, output: str
) -> None:
    place = place_in(shown, output)
    key = shown[output, 0][place][0]
    several = output not in {*KINDS, *FINALS, *LOCAL}  # the row before it may be the same
    short = [each for at, each in enumerate(shown[output, 0]) if at != place and not (several and each[0] == key)]
    assert check_of(comparison, {**shown, (output, 0): short}, output).lost > 0


@pytest.mark.parametrize("output", [*KINDS, *FINALS, *LOCAL, *TABLE_KINDS])
def test_joins_comparison_with_a_result_twice_is_not_exact(
    comparison: Comparison, shown: ShownInOne, output: str
) -> None:
    place = place_in(shown, output)
    doubled = [*shown[output, 0][: place + 1], *shown[output, 0][place:]]
    check = check_of(comparison, {**shown, (output, 0): doubled}, output)
    assert check.wrong > 0 if output in TABLE_KINDS else check.doubled == 1


@pytest.mark.parametrize("output", [*LOCAL, "fk-inner"])
def test_joins_comparison_of_results_in_another_order_is_not_exact(
    comparison: Comparison, shown: ShownInOne, output: str
) -> None:
    backwards = shown[output, 0][::-1]
    assert check_of(comparison, {**shown, (output, 0): backwards}, output).wrong > 0
