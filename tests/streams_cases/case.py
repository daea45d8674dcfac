"""A case as tests/conformance/README.md has it: ops that refer to each other by id, and inputs."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

Op = dict[str, Any]
Case = dict[str, Any]

REFERENCES = ("of", "left", "right")
SOURCES = ("stream", "table", "global_table")


def references(op: Op) -> Iterator[str]:
    """The ids an op refers to; those of a split's branches are ID.NAME."""
    for parameter in REFERENCES:
        if parameter in op:
            yield op[parameter]
    for each in op.get("inputs", ()):
        yield each["of"]


def redirected(op: Op, redirect: Callable[[str], str]) -> Op:
    """A copy that refers to other ids."""
    made = copy.deepcopy(op)
    for parameter in REFERENCES:
        if parameter in made:
            made[parameter] = redirect(made[parameter])
    for each in made.get("inputs", ()):
        each["of"] = redirect(each["of"])
    return made


def topics(case: Case) -> set[str]:
    """What its sources read."""
    sources = [op for op in case["topology"] if op["op"] in SOURCES]
    return {topic for op in sources for topic in op.get("topics", [op.get("topic")])}


def shown(case: Case) -> str:
    """For people: an op a line, all inputs in one."""
    lines = [" ".join(f"{name}={value}" for name, value in op.items()) for op in case["topology"]]
    lines.append(" ".join(_shown_input(step) for step in case["inputs"]))
    if "config" in case:
        lines.append(str(case["config"]))
    return "\n".join("    " + line for line in lines)


def _shown_input(step: dict[str, Any]) -> str:
    if "advance_wall_clock" in step:
        return f"(clock +{step['advance_wall_clock']})"
    return f"{step['topic']}:{step['key']}={step['value']!r}@{step['ts']}"
