"""What a random case is made of: words of the vocabulary, lengths of time, values. All from one seed."""

from __future__ import annotations

from random import Random
from typing import Any, TypeVar

T = TypeVar("T")

KEYS = ("a", "b", "c", "a1", "b2")
"""Some are the beginning of others, for scans of prefixes and ranges."""
VALUES = ("int", "int", "mixed", "small", "text")
"""Kinds; all values of a case are of one."""


class Choices:
    def __init__(self, seed: str) -> None:
        self.random = Random(seed)
        self.values = self.one(*VALUES)

    def one(self, *things: T) -> T:
        return self.random.choice(things)

    def chance(self, probability: float) -> bool:
        return self.random.random() < probability

    def number(self, least: int, most: int) -> int:
        return self.random.randint(least, most)

    def length(self) -> int:
        """Of a window, in ms."""
        return self.one(1, 2, 3, 5, 7, 10)

    def grace(self) -> int | None:
        return self.one(None, 0, 0, 1, 2, 5, 10, 40)

    def predicate(self) -> str:
        return self.one("even", "gt:3", "lt:5", "mod:3=1", "not_null", "key_is:a", "gt:-1", "mod:2=1")

    def value_function(self) -> str:
        plain = ("identity", "num", "text", "append:!", "with_key", "null_if_odd")
        return self.one(*plain, "times:2", "times:-1", "plus:1", "rem:3")

    def key_function(self) -> str:
        plain = ("value_text", "null_if_odd", "identity", "key_text")
        return self.one(*plain, "key_mod:2", "key_mod:3", "prefix:1", "const:a")

    def flat_function(self) -> str:
        return self.one("repeat:2", "steps:2", "split", "none")

    def adder(self) -> str:
        plain = ("sum", "count", "concat", "max", "min", "last", "first", "subtract", "csv")
        return self.one(*plain, "sum_or_null")

    def joiner(self) -> str:
        return self.one("pair", "pair", "sum", "left", "right", "pair_or_null")

    def foreign_key(self) -> str:
        return self.one("key_mod:3", "before_colon", "value_text", "prefix:1", "null_if_odd")

    def value(self) -> Any:
        if self.chance(0.12):
            return None
        if self.values == "int":
            return self.number(-3, 12)
        if self.values == "small":
            return self.number(0, 2)
        if self.values == "text":
            return self.one("a:1", "b:2", "a:3", ":x", "c", "a,b", "1:0")
        return self.one(self.number(-3, 9), "x", "a,b", "a:1", "")

    def inputs(self, topics: list[str], count: int) -> list[dict[str, Any]]:
        """Mostly in order, some late, with pauses in which windows close."""
        now = self.one(0, 1, 1, 7, 20)
        keys = self.random.sample(KEYS, self.number(1, 4))
        steps: list[dict[str, Any]] = []
        for _ in range(count):
            now += self.one(0, 0, 1, 1, 2, 3, 5, 10) if self.chance(0.95) else self.one(20, 60)
            timestamp = now if self.chance(0.65) else max(0, now - self.one(1, 2, 3, 5, 7, 10, 11, 20, 40))
            key = None if self.chance(0.05) else self.one(*keys)
            steps.append({"topic": self.one(*topics), "key": key, "value": self.value(), "ts": timestamp})
        return steps
