"""Regular expressions that members subscribe with, matched in time proportional to the name's length.

A client chooses the expression, and Python's `re` takes exponential time for some of them, which would stop the broker
for everybody. So they run as nondeterministic automata: all ways of matching are followed at once, character by
character (Thompson, 1968). It is what RE2 does, whose syntax Apache Kafka takes here.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final, TypeAlias

from broker.consumer_groups.pattern_syntax import (
    WORDS,
    Assertion,
    Characters,
    Choice,
    Node,
    PatternError,
    Repeat,
    Sequence,
    parse,
)

MAX_STEPS: Final = 10_000


@dataclass(frozen=True, slots=True)
class Fork:
    """Goes on at all of these steps."""

    to: tuple[int, ...]


Step: TypeAlias = Characters | Assertion | Fork
"""A Characters or an Assertion goes on at the step behind it."""


class TopicPattern:
    """A compiled expression; the step behind the last is the end."""

    def __init__(self, steps: tuple[Step, ...]) -> None:
        self.steps = steps

    def matches(self, name: str) -> bool:
        """Whether the expression matches the whole name."""
        places = self.reach({0}, name, 0)
        for position, char in enumerate(name):
            if not places:
                return False
            onward: set[int] = set()
            for place in places:
                step = self.steps[place] if place < len(self.steps) else None
                if isinstance(step, Characters) and char in step.allowed:
                    onward.add(place + 1)
            places = self.reach(onward, name, position + 1)
        return len(self.steps) in places

    def reach(self, places: set[int], name: str, position: int) -> set[int]:
        """Where one can be at a position of the name without reading further."""
        reached: set[int] = set()
        waiting = list(places)
        while waiting:
            place = waiting.pop()
            if place in reached:
                continue
            reached.add(place)
            step = self.steps[place] if place < len(self.steps) else None
            if isinstance(step, Fork):
                waiting += step.to
            elif isinstance(step, Assertion) and holds(step.kind, name, position):
                waiting.append(place + 1)
        return reached


def holds(kind: str, name: str, position: int) -> bool:
    match kind:
        case "start":
            return position == 0
        case "end":
            return position == len(name)
        case _:
            before = position > 0 and name[position - 1] in WORDS
            after = position < len(name) and name[position] in WORDS
            return (before != after) == (kind == "boundary")


@lru_cache(maxsize=256)
def compile_pattern(regex: str) -> TopicPattern:
    """Raises PatternError where the expression is not one of RE2's."""
    steps: list[Step] = []
    emit(parse(regex), steps)
    return TopicPattern(tuple(steps))


def emit(node: Node, steps: list[Step]) -> None:
    """Appends the steps of a node."""
    if len(steps) > MAX_STEPS:
        raise PatternError("the expression is too large: repetitions of repetitions")
    match node:
        case Characters() | Assertion():
            steps.append(node)
        case Sequence(parts):
            for part in parts:
                emit(part, steps)
        case Choice(branches):
            fork, ends, starts = add_fork(steps), list[int](), list[int]()
            for branch in branches:
                starts.append(len(steps))
                emit(branch, steps)
                ends.append(add_fork(steps))
            steps[fork] = Fork(tuple(starts))
            for end in ends:
                steps[end] = Fork((len(steps),))
        case Repeat(part, least, most):
            for _ in range(least):
                emit(part, steps)
            if most is None:
                fork = add_fork(steps)
                emit(part, steps)
                steps.append(Fork((fork,)))
                steps[fork] = Fork((fork + 1, len(steps)))
                return
            forks: list[int] = []
            for _ in range(most - least):
                forks.append(add_fork(steps))
                emit(part, steps)
            for fork in forks:
                steps[fork] = Fork((fork + 1, len(steps)))


def add_fork(steps: list[Step]) -> int:
    """Makes room for a fork whose ends are not known yet; returns its place."""
    steps.append(Fork(()))
    return len(steps) - 1
