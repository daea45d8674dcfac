"""The functions that vectors name, as plain Python: see README.md beside this file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from streams import Windowed


def num(x: Any) -> int:
    if x is None:
        return 0
    return x if isinstance(x, int) else len(x)


def text(x: Any) -> str:
    if x is None:
        return "null"
    if isinstance(x, Windowed):
        return f"{x.key}@{x.start}/{x.end}"
    return str(x)


def _named(name: str, table: dict[str, Callable[[str], Any]]) -> Any:
    word, _, argument = name.partition(":")
    return table[word](argument)


def predicate(name: str) -> Callable[[Any, Any], bool]:
    def mod(argument: str) -> Callable[[Any, Any], bool]:
        modulus, _, rest = argument.partition("=")
        return lambda k, v: num(v) % int(modulus) == int(rest)

    return _named(
        name,
        {
            "true": lambda a: lambda k, v: True,
            "false": lambda a: lambda k, v: False,
            "even": lambda a: lambda k, v: num(v) % 2 == 0,
            "gt": lambda a: lambda k, v: num(v) > int(a),
            "lt": lambda a: lambda k, v: num(v) < int(a),
            "mod": mod,
            "not_null": lambda a: lambda k, v: v is not None,
            "key_is": lambda a: lambda k, v: k is not None and text(k) == a,
            "key_null": lambda a: lambda k, v: k is None,
        },
    )


def value_function(name: str) -> Callable[[Any, Any], Any]:
    return _named(
        name,
        {
            "identity": lambda a: lambda k, v: v,
            "num": lambda a: lambda k, v: num(v),
            "times": lambda a: lambda k, v: num(v) * int(a),
            "plus": lambda a: lambda k, v: num(v) + int(a),
            "rem": lambda a: lambda k, v: num(v) % int(a),
            "text": lambda a: lambda k, v: text(v),
            "append": lambda a: lambda k, v: text(v) + a,
            "with_key": lambda a: lambda k, v: text(k) + "=" + text(v),
            "null_if_odd": lambda a: lambda k, v: None if num(v) % 2 else v,
            "null": lambda a: lambda k, v: None,
        },
    )


def key_function(name: str) -> Callable[[Any, Any], Any]:
    def before_colon(k: Any, v: Any) -> str | None:
        head, colon, _ = text(v).partition(":")
        return head if v is not None and colon and head else None

    return _named(
        name,
        {
            "identity": lambda a: lambda k, v: k,
            "key_mod": lambda a: lambda k, v: str(num(v) % int(a)),
            "value_text": lambda a: lambda k, v: None if v is None else text(v),
            "key_text": lambda a: lambda k, v: None if k is None else text(k),
            "window_key": lambda a: lambda k, v: k.key if isinstance(k, Windowed) else k,
            "prefix": lambda a: lambda k, v: None if k is None else text(k)[: int(a)],
            "const": lambda a: lambda k, v: a,
            "null": lambda a: lambda k, v: None,
            "null_if_odd": lambda a: lambda k, v: None if num(v) % 2 else k,
            "before_colon": lambda a: before_colon,
        },
    )


def flat_function(name: str) -> Callable[[Any, Any], list[Any]]:
    return _named(
        name,
        {
            "none": lambda a: lambda k, v: [],
            "repeat": lambda a: lambda k, v: [v] * int(a),
            "steps": lambda a: lambda k, v: [num(v) + i for i in range(int(a))],
            "split": lambda a: lambda k, v: [] if v is None else [part for part in text(v).split(",") if part],
        },
    )


def binary(name: str) -> Callable[[Any, Any], Any]:
    def least(a: Any, v: Any) -> Any:
        return v if a is None else a if v is None else a if num(a) <= num(v) else v

    def most(a: Any, v: Any) -> Any:
        return v if a is None else a if v is None else a if num(a) >= num(v) else v

    return {
        "sum": lambda a, v: num(a) + num(v),
        "subtract": lambda a, v: num(a) - num(v),
        "count": lambda a, v: num(a) + 1,
        "uncount": lambda a, v: num(a) - 1,
        "concat": lambda a, v: text(a) + "+" + text(v),
        "remove": lambda a, v: text(a) + "-" + text(v),
        "merge": lambda a, v: text(a) + "|" + text(v),
        "csv": lambda a, v: text(a) + "," + text(v),
        "min": least,
        "max": most,
        "first": lambda a, v: a,
        "last": lambda a, v: v,
        "sum_or_null": lambda a, v: (num(a) + num(v)) or None,
        "subtract_or_null": lambda a, v: (num(a) - num(v)) or None,
    }[name]


def joiner(name: str) -> Callable[[Any, Any, Any], Any]:
    return {
        "pair": lambda k, left, right: text(left) + "-" + text(right),
        "key_pair": lambda k, left, right: text(k) + ":" + text(left) + "-" + text(right),
        "sum": lambda k, left, right: num(left) + num(right),
        "left": lambda k, left, right: left,
        "right": lambda k, left, right: right,
        "pair_or_null": lambda k, left, right: None if num(left) == num(right) else text(left) + "-" + text(right),
    }[name]


def topic_function(name: str) -> Callable[[Any, Any], str]:
    return _named(
        name,
        {
            "parity": lambda a: lambda k, v: a + ("odd" if num(v) % 2 else "even"),
            "by_key": lambda a: lambda k, v: a + text(k),
        },
    )
