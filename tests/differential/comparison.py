"""What differs between two plays of a script, and which of it is explained."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from tests.differential.answer import Tree, keyed

ABSENT = "(absent)"


@dataclass(frozen=True, slots=True)
class Difference:
    """One value that differs; `ABSENT` where one side has none."""

    step: str
    path: str
    kafka: Any
    ours: Any

    def __str__(self) -> str:
        return f"{self.step}\n      {self.path}: Apache Kafka {self.kafka!r}, bundled broker {self.ours!r}"


@dataclass(frozen=True, slots=True)
class Explanation:
    """Differences that are meant, by patterns with * for the script, the step (without its number) and the path."""

    script: str
    step: str
    path: str
    why: str

    def covers(self, script: str, difference: Difference) -> bool:
        step = difference.step.split(" ", 1)[1]
        return (
            fnmatchcase(script, self.script)
            and fnmatchcase(step, self.step)
            and fnmatchcase(difference.path, self.path)
        )


def differences(kafka: Mapping[str, Tree], ours: Mapping[str, Tree]) -> Iterator[Difference]:
    """In order of the steps. Both plays have the same steps: a script does not branch on what it is answered."""
    assert list(kafka) == list(ours), "the recorded steps are not those of the script: record them anew"
    for step, answer in kafka.items():
        yield from within(step, "", answer, ours[step])


def within(step: str, path: str, kafka: Tree, ours: Tree) -> Iterator[Difference]:
    """Differences below a place; of what one side has not at all, one."""
    if isinstance(kafka, list) and isinstance(ours, list) and kafka and ours:
        mine, theirs, form = keyed(ours), keyed(kafka), f"{path}<{{}}>"
    elif isinstance(kafka, dict) and isinstance(ours, dict):
        mine, theirs, form = ours, kafka, f"{path}.{{}}" if path else "{}"
    else:
        if kafka != ours:
            yield Difference(step, path, kafka, ours)
        return
    for name in {**theirs, **mine}:
        if name in theirs and name in mine:
            yield from within(step, form.format(name), theirs[name], mine[name])
        else:
            yield Difference(step, form.format(name), theirs.get(name, ABSENT), mine.get(name, ABSENT))
