"""What the demo shows while it runs: a live table on a terminal, a line every few seconds otherwise.

Both write to stderr; stdout is for the result.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

from streams.demo.tally import DelayRow, StateDay

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

RATE_OVER_S = 2.0
LINE_EVERY_S = 2.0
COLUMNS = ("STATE", "DAY", "FLIGHTS", "MEAN DELAY", "WORST")


class Progress(Struct, frozen=True, kw_only=True):
    """A moment of the run. Numbers of flights: in all, on the topic, counted in the result; counted per second."""

    total: int
    loaded: int
    counted: int
    rate: float
    worst: Sequence[tuple[StateDay, DelayRow]]

    @property
    def lag(self) -> int:
        """Flights on the topic that the result does not have yet."""
        return max(0, self.loaded - self.counted)


class Rate:
    """How fast a number grows, over the last `RATE_OVER_S` seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._points: deque[tuple[float, int]] = deque()

    def at(self, value: int) -> float:
        """Per second, as of now that it is `value`."""
        now = self._clock()
        self._points.append((now, value))
        while len(self._points) > 2 and now - self._points[0][0] > RATE_OVER_S:
            self._points.popleft()
        then, before = self._points[0]
        return (value - before) / (now - then) if now > then else 0.0


class Screen(Protocol):
    """Where progress is shown."""

    def __enter__(self) -> Screen: ...
    def __exit__(self, *exc: object) -> None: ...
    def show(self, progress: Progress) -> None: ...
    def say(self, line: str) -> None: ...


class PlainScreen:
    """Sparse lines, for logs and pipes."""

    def __init__(self, write: Callable[[str], None], clock: Callable[[], float]) -> None:
        self._write = write
        self._clock = clock
        self._next = clock() + LINE_EVERY_S

    def __enter__(self) -> PlainScreen:
        return self

    def __exit__(self, *exc: object) -> None:
        pass

    def show(self, progress: Progress) -> None:
        if self._clock() >= self._next:
            self._next = self._clock() + LINE_EVERY_S
            self._write(
                f"loaded {progress.loaded:,} of {progress.total:,} flights, counted {progress.counted:,}, "
                f"{progress.rate:,.0f} flights/s, lag {progress.lag:,}"
            )

    def say(self, line: str) -> None:
        self._write(line)


class LiveScreen:
    """Two progress bars and the table of the worst days so far, redrawn in place and removed at the end."""

    def __init__(self, console: Console) -> None:
        from rich.live import Live

        self._console = console
        self._live = Live(console=console, refresh_per_second=8, transient=True)

    def __enter__(self) -> LiveScreen:
        self._live.__enter__()
        return self

    def __exit__(self, *exc: object) -> None:
        self._live.__exit__(None, None, None)

    def show(self, progress: Progress) -> None:
        from rich.console import Group
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        bars = Table.grid(padding=(0, 1))
        bars.add_column(width=8)
        bars.add_column(width=40)
        bars.add_column(justify="right")
        for name, done in (("loaded", progress.loaded), ("counted", progress.counted)):
            bar = ProgressBar(total=max(1, progress.total), completed=done, width=40)
            bars.add_row(name, bar, f"{done:,} of {progress.total:,}")
        rate, lag = (f"{progress.rate:,.0f}", "bold"), (f"{progress.lag:,}", "bold")
        figures = Text.assemble(rate, " flights/s   lag ", lag, "\n")
        self._live.update(Group(bars, figures, worst_table(progress.worst)))

    def say(self, line: str) -> None:
        self._console.print(line, markup=False, highlight=False)


def worst_table(worst: Sequence[tuple[StateDay, DelayRow]]) -> Table:
    """The rows as a rich table."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in COLUMNS:
        table.add_column(column, justify="left" if column in ("STATE", "DAY") else "right")
    for cells in worst_rows(worst):
        table.add_row(*cells)
    return table


def worst_rows(worst: Sequence[tuple[StateDay, DelayRow]]) -> list[tuple[str, str, str, str, str]]:
    """The rows as text: delays in minutes, days in UTC."""
    return [
        (key.state, day_text(key.day), f"{row.flights:,}", f"{row.mean_delay:.1f} min", f"{row.worst} min")
        for key, row in worst
    ]


def day_text(milliseconds: int) -> str:
    """`2001-04-07`."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).date().isoformat()
