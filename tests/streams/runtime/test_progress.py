"""How far a task says it is."""

from __future__ import annotations

from streams.runtime.progress import InputProgress, Progress, progress
from streams.runtime.watermark import UNBOUNDED


def user(max_timestamp: int, *, quiet: bool = False) -> InputProgress:
    return InputProgress(max_timestamp, UNBOUNDED, quiet)


def behind(max_timestamp: int, watermark: int, *, quiet: bool = False) -> InputProgress:
    return InputProgress(max_timestamp, watermark, quiet)


def test_progress_several_inputs_is_the_least() -> None:
    assert progress([user(300), user(200)], 0) == Progress(200, False)


def test_progress_hold_back_is_taken_off() -> None:
    assert progress([user(300)], 120) == Progress(180, False)


def test_progress_hold_back_beyond_zero_is_unknown() -> None:
    assert progress([user(50)], 120) == Progress(-1, False)


def test_progress_input_without_records_is_unknown() -> None:
    assert progress([user(300), user(-1)], 0) == Progress(-1, False)


def test_progress_quiet_input_does_not_count() -> None:
    assert progress([user(300), user(20, quiet=True)], 0) == Progress(300, False)


def test_progress_all_inputs_quiet_is_idle_at_the_last_mark() -> None:
    assert progress([user(300, quiet=True), user(20, quiet=True)], 0, previous=20) == Progress(20, True)


def test_progress_never_goes_back() -> None:
    """A quiet input with old records wakes up: what was promised stands."""
    assert progress([user(300), user(20)], 0, previous=250) == Progress(250, False)


def test_progress_behind_repartition_is_its_watermark() -> None:
    """A partition that gets few of the keys does not stop time for those behind it."""
    assert progress([behind(20, 500)], 0) == Progress(500, False)
    assert progress([behind(900, 500)], 0) == Progress(500, False)


def test_progress_behind_repartition_with_hold_back_is_what_the_operators_saw() -> None:
    """An operator that holds records back does so by its own clock, which never passes what it saw."""
    assert progress([behind(400, 500)], 100) == Progress(300, False)
    assert progress([behind(900, 500)], 100) == Progress(400, False)


def test_progress_behind_repartition_whose_tasks_are_active_is_not_idle() -> None:
    assert progress([behind(20, 500, quiet=True)], 0) == Progress(500, False)


def test_progress_behind_repartition_with_unknown_watermark_is_unknown() -> None:
    assert progress([behind(900, -1)], 0) == Progress(-1, False)


def test_progress_behind_repartition_whose_tasks_are_idle_is_idle_when_quiet() -> None:
    assert progress([behind(900, UNBOUNDED)], 0) == Progress(900, False)
    assert progress([behind(900, UNBOUNDED, quiet=True)], 0, 900) == Progress(900, True)


def test_progress_stays_at_the_clock_of_an_operator_that_holds_records() -> None:
    read = [InputProgress(1_000, UNBOUNDED, quiet=False)]
    assert progress(read, 10, holding=[400]) == Progress(390, False)
    assert progress(read, 10, previous=700, holding=[400]) == Progress(700, False)
    assert progress(read, 10) == Progress(990, False)
