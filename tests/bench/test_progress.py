"""The steady part of a run, out of samples of its progress."""

from __future__ import annotations

from bench.progress import Sample, steady


def samples(*points: tuple[float, int]) -> list[Sample]:
    return [Sample(at, done, at * 0.5, at * 0.1, at) for at, done in points]


def test_steady_by_outputs_is_from_half_to_the_end() -> None:
    part = steady(samples((0, 0), (4, 10), (5, 50), (6, 80), (7, 100)), by_commits=False)
    assert (part.begin.done, part.end.done, part.share, part.seconds) == (50, 100, 0.5, 2)


def test_steady_by_commits_ends_at_the_last_that_left_something_to_do() -> None:
    """The commit of the end may be long after the last record; one that has 80 of 100 is exact for those 80."""
    part = steady(samples((0, 0), (4, 10), (5, 50), (6, 80), (60, 99), (61, 100)), by_commits=True)
    assert (part.begin.done, part.end.done, part.seconds) == (50, 80, 1)
    assert part.share == 0.3


def test_steady_with_everything_at_once_has_the_start_in_it() -> None:
    part = steady(samples((0, 0), (4, 100)), by_commits=False)
    assert (part.begin.done, part.end.done, part.share) == (0, 100, 1.0)


def test_steady_by_commits_with_too_few_of_them_takes_what_there_is() -> None:
    part = steady(samples((0, 0), (4, 10), (5, 99), (6, 100)), by_commits=True)
    assert (part.begin.done, part.end.done) == (10, 99)
    part = steady(samples((0, 0), (4, 10), (5, 60), (6, 100)), by_commits=True)
    assert (part.begin.done, part.end.done) == (60, 100)
    part = steady(samples((0, 0), (4, 100)), by_commits=True)
    assert (part.begin.done, part.end.done) == (0, 100)
