"""The types that Python's operators give, where they follow from the operands' types alone."""

from __future__ import annotations

from typing import Any

from streams.serde.reflection import plain_type
from streams.serde.unknown import Unknown

NUMBERS = (bool, int, float)


def arithmetic_type(operator: str, left: Any, right: Any) -> Any:
    """The type of `left operator right`, `Unknown` where it depends on the values or on classes of the user's."""
    left, right = plain_type(left), plain_type(right)
    if left in NUMBERS and right in NUMBERS:
        if operator in ("+", "-", "*", "//", "%"):
            return float if float in (left, right) else int
        return float if operator == "/" else Unknown
    if operator == "+" and left is right and left in (str, bytes):
        return left
    if left is str and operator == "%":
        return str
    if left is str and right in (bool, int) and operator == "*":
        return str
    return Unknown
