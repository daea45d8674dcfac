"""What a measure found: rows, and what grows by how much."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Table:
    """`columns` name figures with their units; `notes` are said below, such as slopes."""

    name: str
    title: str
    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]] = field(default_factory=list[tuple[Any, ...]])
    notes: list[str] = field(default_factory=list[str])

    def add(self, *figures: Any) -> None:
        """A row, printed at once: a measure takes minutes."""
        if not self.rows:
            print(f"\n{self.title}\n" + "  ".join(f"{column:>{width(column)}}" for column in self.columns), flush=True)
        self.rows.append(figures)
        texts = (f"{text(figure):>{width(column)}}" for figure, column in zip(figures, self.columns, strict=True))
        print("  ".join(texts), flush=True)

    def note(self, said: str) -> None:
        self.notes.append(said)
        print(said, flush=True)

    def slope(self, x: str, y: str) -> float:
        """How much column `y` grows for each one of column `x`, by least squares."""
        i, j = self.columns.index(x), self.columns.index(y)
        return least_squares([(float(row[i]), float(row[j])) for row in self.rows])[1]

    def base(self, x: str, y: str) -> float:
        """What column `y` is where `x` is zero, by least squares."""
        i, j = self.columns.index(x), self.columns.index(y)
        return least_squares([(float(row[i]), float(row[j])) for row in self.rows])[0]

    def json(self) -> dict[str, Any]:
        rows = [dict(zip(self.columns, row, strict=True)) for row in self.rows]
        return {"name": self.name, "title": self.title, "rows": rows, "notes": self.notes}


def least_squares(points: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """The base and the slope of the line nearest to the points."""
    n = len(points)
    mean_x, mean_y = sum(x for x, _ in points) / n, sum(y for _, y in points) / n
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    slope = sum((x - mean_x) * (y - mean_y) for x, y in points) / spread if spread else 0.0
    return mean_y - slope * mean_x, slope


def width(column: str) -> int:
    return max(len(column), 9)


def text(figure: Any) -> str:
    if isinstance(figure, float):
        return f"{figure:,.0f}" if figure >= 1_000 else f"{figure:.3g}" if figure < 10 else f"{figure:.1f}"
    return f"{figure:,}" if isinstance(figure, int) else str(figure)
