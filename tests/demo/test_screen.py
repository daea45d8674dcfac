"""What the demo shows while it runs."""

from __future__ import annotations

import io

from rich.console import Console

from streams.demo.screen import LiveScreen, PlainScreen, Progress, Rate, worst_rows
from streams.demo.tally import DelayRow, StateDay

WORST = [(StateDay("CO", 980640000000), DelayRow(flights=64, mean_delay=77.875, worst=300))]
HALF = Progress(total=1000, loaded=800, counted=500, rate=1234.5, worst=WORST)


class Clock:
    """A clock that only moves when told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_plain_screen_writes_sparsely() -> None:
    """One line every two seconds, however often there is news."""
    clock, lines = Clock(), []
    screen = PlainScreen(lines.append, clock)
    for tick in range(50):
        clock.now = tick / 10
        screen.show(HALF)
    assert lines == ["loaded 800 of 1,000 flights, counted 500, 1,234 flights/s, lag 300"] * 2


def test_live_screen_shows_bars_figures_and_table() -> None:
    """All that a person wants to see at a glance."""
    console = Console(file=io.StringIO(), force_terminal=True, width=100)
    with LiveScreen(console) as screen:
        screen.show(HALF)
    text = console.file.getvalue()  # type: ignore[attr-defined]
    for part in ("800 of 1,000", "500 of 1,000", "1,234", "300", "CO", "2001-01-28", "77.9 min"):
        assert part in text


def test_worst_rows_are_text_with_units() -> None:
    """Day in UTC, delays in minutes."""
    assert worst_rows(WORST) == [("CO", "2001-01-28", "64", "77.9 min", "300 min")]


def test_rate_looks_back_two_seconds() -> None:
    """The speed of now, not the mean since the start."""
    clock = Clock()
    rate = Rate(clock)
    assert rate.at(0) == 0.0
    for second in range(1, 11):
        clock.now = second
        shown = rate.at(100 * second if second < 8 else 700 + 1000 * (second - 7))
    assert shown == 1000.0
