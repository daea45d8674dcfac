"""How often the cycle collector runs while a worker works."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from streams.runtime.collector import SELDOM, collecting_seldom


@pytest.fixture(autouse=True)
def thresholds() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)


def test_thresholds_of_the_interpreter_are_raised_and_put_back() -> None:
    gc.set_threshold(700, 10, 10)
    with collecting_seldom():
        assert gc.get_threshold() == SELDOM
    assert gc.get_threshold() == (700, 10, 10)


@pytest.mark.parametrize("chosen", [(0, 10, 10), (1_000_000, 5, 5)])
def test_thresholds_the_program_chose_are_left_alone(chosen: tuple[int, int, int]) -> None:
    gc.set_threshold(*chosen)
    with collecting_seldom():
        assert gc.get_threshold() == chosen
