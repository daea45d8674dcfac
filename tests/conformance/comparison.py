"""Whether what came out is what was recorded. Order counts per topic; windowed stores may hold expired rows."""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Any

Record = dict[str, Any]


def difference(case: dict[str, Any], outputs: list[list[Record]], stores: dict[str, list[Record]]) -> str | None:
    """None, or the first thing that differs from every accepted recording."""
    reasons: list[str] = []
    for wanted in [case, *case.get("also_accept", [])]:
        why = _outputs(case, wanted["expected"], outputs) or _stores(wanted.get("stores") or {}, stores)
        if why is None:
            return None
        reasons.append(why)
    return reasons[0]


def _outputs(case: dict[str, Any], expected: list[list[Record]], outputs: list[list[Record]]) -> str | None:
    for number, want in enumerate(expected):
        got = outputs[number] if number < len(outputs) else []
        fails = any("error" in record for record in want)
        if fails != any("error" in record for record in got) or _lanes(want) != _lanes(got):
            return f"step {number} {case['inputs'][number]}: expected {want}, got {got}"
        if fails:
            return None
    return None if len(outputs) <= len(expected) else f"{len(outputs)} steps instead of {len(expected)}"


def _lanes(records: list[Record]) -> dict[str, list[str]]:
    lanes: dict[str, list[str]] = defaultdict(list)
    for record in records:
        if "error" not in record:
            lanes[record["topic"]].append(json.dumps([record["key"], record["value"], record["ts"]]))
    return lanes


def _stores(expected: dict[str, list[Record]], stores: dict[str, list[Record]]) -> str | None:
    for name, rows in expected.items():
        if name not in stores:
            continue
        windowed = any(isinstance(row["key"], dict) for row in [*rows, *stores[name]])
        want = sorted(json.dumps([row["key"], row["value"], row.get("ts")]) for row in rows)
        got = sorted(json.dumps([row["key"], row["value"], row.get("ts")]) for row in stores[name])
        if windowed:
            got = [row for row in got if row in want]
        if want != got:
            return f"store {name}: expected {want}, got {got}"
    return None
