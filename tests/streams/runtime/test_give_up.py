"""When a broker that does not answer is given up."""

from __future__ import annotations

from streams.runtime.give_up import GiveUp


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_limit_is_counted_from_the_first_question_since_an_answer() -> None:
    clock = Clock()
    give_up = GiveUp(5.0, clock)
    clock.now = 100.0
    assert not give_up()
    clock.now = 104.0
    give_up.answered()
    clock.now = 108.0
    assert not give_up()
    clock.now = 112.9
    assert not give_up()
    clock.now = 113.0
    assert give_up()


def test_without_a_limit_only_the_end_of_the_worker_counts() -> None:
    clock = Clock()
    give_up = GiveUp(None, clock)
    assert not give_up()
    clock.now = 1e6
    assert not give_up()
    give_up.leave_within(30.0)
    assert not give_up()
    clock.now += 30.0
    assert give_up()
