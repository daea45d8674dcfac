"""Figures as they are kept: JSON files under `bench/results/`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Entry = dict[str, Any]
RESULTS = Path(__file__).parent / "results"


@dataclass(slots=True)
class Results:
    """What was measured, by kind of measure, in the order of measuring.

    An entry says who (`peer`), on what (`broker`), of what (`workload`), in which `round`, and has figures by their
    names, or an `error` and none.
    """

    about: dict[str, Any]
    entries: dict[str, list[Entry]] = field(default_factory=dict)

    def add(self, measure: str, entry: Entry) -> None:
        self.entries.setdefault(measure, []).append(entry)

    def of(self, measure: str) -> list[Entry]:
        return self.entries.get(measure, [])

    @property
    def failed(self) -> list[Entry]:
        return [entry for entries in self.entries.values() for entry in entries if "error" in entry]

    def write(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"about": self.about, **self.entries}, indent=1) + "\n")


def read(paths: Sequence[Path]) -> Results:
    """Several files as one. What a later one has of a measure and workload counts instead of what those before have."""
    found = Results({})
    for path in paths:
        held = json.loads(path.read_text())
        found.about = held.pop("about")
        for measure, entries in held.items():
            again = {entry.get("workload") for entry in entries}
            kept = [entry for entry in found.of(measure) if entry.get("workload") not in again]
            found.entries[measure] = kept + entries
    return found
