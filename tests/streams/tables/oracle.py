"""What an aggregation of a grouped table gives, stated from its rules alone.

Each change takes a row's old value out of its group and puts the new one in: with one result where both are in the
same group, else with two, the old group's first. A row without a group, or without a value for it, is in none. What is
not there is not subtracted, but the result, nothing, is told. A result of nothing deletes the group's row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple


class Update(NamedTuple):
    """One record of the table's topic: `value` is (group, what counts there), either of which may be None."""

    key: str | None
    value: tuple[str | None, int | None] | None
    ts: int


class Aggregate(NamedTuple):
    """How a group's values are folded; `first` is given the first value of a group that has no aggregate."""

    first: Callable[[str, int], Any]
    add: Callable[[str, int, Any], Any]
    subtract: Callable[[str, int, Any], Any]


Result = tuple[str, Any, int]
"""Group, aggregate, timestamp."""


def counted(value: tuple[str | None, int | None] | None) -> tuple[str, int] | None:
    """The group and what counts there, if both are there."""
    if value is None or value[0] is None or value[1] is None:
        return None
    return value[0], value[1]


def table_oracle(updates: Iterable[Update], how: Aggregate) -> list[Result]:
    table: dict[str, tuple[str | None, int | None] | None] = {}
    groups: dict[str, tuple[Any, int]] = {}
    results: list[Result] = []
    for key, value, ts in updates:
        if key is None:
            continue
        old, new = counted(table.get(key)), counted(value)
        table[key] = value
        changes: list[tuple[str, int | None, int | None]] = []
        if old is not None and new is not None and old[0] == new[0]:
            changes.append((old[0], old[1], new[1]))
        else:
            changes += [(old[0], old[1], None)] if old is not None else []
            changes += [(new[0], None, new[1])] if new is not None else []
        for group, gone, come in changes:
            aggregate, newest = groups.get(group, (None, -1))
            newest = max(newest, ts)
            if gone is not None and aggregate is not None:
                aggregate = how.subtract(group, gone, aggregate)
            if come is not None:
                aggregate = how.first(group, come) if aggregate is None else how.add(group, come, aggregate)
            if aggregate is None:
                groups.pop(group, None)
            else:
                groups[group] = aggregate, newest
            results.append((group, aggregate, newest))
    return results
