"""The queue of punctuators: when each is due, in which order, and how it is called off."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from streams.processors.punctuation import NEVER, Cancellable, Punctuations


def call(punctuator: Callable[[int], Any], now: int) -> None:
    punctuator(now)


def test_punctuator_stays_on_the_grid_and_runs_once_after_a_gap() -> None:
    """The example of Kafka Streams' own documentation: interval 10, first due at 0."""
    queue, ran = Punctuations(), list[int]()
    queue.add(0, 10, call, ran.append)
    for now in (20, 25, 142, 145, 155, 159, 160, 161):
        queue.run(now)
    assert ran == [20, 142, 155, 160]
    assert queue.due == 170


def test_punctuators_run_in_the_order_of_their_due_times() -> None:
    queue, ran = Punctuations(), list[str]()
    queue.add(30, 10, call, lambda now: ran.append("late"))
    queue.add(10, 50, call, lambda now: ran.append("early"))
    queue.add(10, 50, call, lambda now: ran.append("early too"))
    queue.run(35)
    assert ran == ["early", "early too", "late"]


def test_cancelled_punctuator_does_not_run_again_even_if_it_cancels_itself() -> None:
    queue, ran = Punctuations(), list[int]()

    def tick(now: int) -> None:
        ran.append(now)
        itself.cancel()

    itself: Cancellable = queue.add(5, 5, call, tick)
    queue.run(5)
    queue.run(50)
    assert ran == [5]
    assert queue.due == NEVER


def test_punctuator_scheduled_by_a_punctuator_runs_in_its_turn() -> None:
    queue, ran = Punctuations(), list[str]()

    def first(now: int) -> None:
        ran.append("first")
        if len(ran) == 1:
            queue.add(0, 100, call, lambda now: ran.append("second"))

    queue.add(0, 100, call, first)
    queue.run(7)
    assert ran == ["first", "second"]


def test_punctuator_that_raises_is_due_again_at_its_next_time() -> None:
    queue = Punctuations()

    def fail(now: int) -> None:
        raise RuntimeError("no")

    queue.add(0, 10, call, fail)
    with pytest.raises(RuntimeError):
        queue.run(12)
    assert queue.due == 20
    queue.run(19)
