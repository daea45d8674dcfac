"""Expressions that are typed: they mean what Python means, and nothing else can be written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from streams.expressions.text import ExpressionTextError, parse_expression

FLIGHT = {"delay": 20, "origin": "SEA", "tags": ["late", "night"], "crew": {"size": 4}, "key": "own", "gate": None}


def holds(text: str) -> Any:
    return parse_expression(text).compile()(
        "k7", FLIGHT, timestamp=1_000, partition=3, offset=17, topic="flights", headers=[("trace", b"t-1")]
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("F.delay > 15", True),
        ("F.delay > 15 and F.origin == 'LAX'", False),
        ("F.delay > 15 or F.origin == 'LAX'", True),
        ("(F.delay > 15) & ~(F.origin == 'LAX')", True),
        ("not F.delay < 15", True),
        ("10 < F.delay <= 20", True),
        ("F.delay - 5 == 15 and F.delay % 2 == 0 and -F.delay < 0", True),
        ("F.origin in ['SEA', 'LAX']", True),
        ("F.origin not in ('SEA', 'LAX')", False),
        ("'late' in F.tags", True),
        ("'EA' in F.origin", True),
        ("F.tags[0] == 'late' and F.crew.size == 4", True),
        ("F['key'] == 'own' and F.key == 'k7' and F.value.key == 'own'", True),
        ("F.gate is None and F.nothing is None and F.delay is not None", True),
        ("F.key.startswith('k') and F.origin.lower().contains('s')", True),
        ("F.partition == 3 and F.offset == 17 and F.timestamp == 1000 and F.topic == 'flights'", True),
        ("F.headers['trace'].decode() == 't-1'", True),
        ("F.nothing.default(7) == 7 and F.delay.between(1, 20)", True),
        ("F.delay.round() == 20 and F.delay.round(-1) == 20", True),
    ],
)
def test_text_means_what_python_means(text: str, expected: bool) -> None:
    assert bool(holds(text)) is expected


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "is no expression"),
        ("F.delay >", "is no expression"),
        ("F", "'F' cannot be written here"),
        ("F.delay > 1 and F == 2", "'F' cannot be written here"),
        ("delay > 15", "'delay' cannot be written here"),
        ("__import__('os').system('true')", "cannot be written here"),
        ("F.__class__", "underscores"),
        ("F['__class__']", "underscores"),
        ("F.origin.__class__.mro()", "cannot be written here"),
        ("F.origin.format(F.delay)", "cannot be written here"),
        ("F.origin.matches('(a+)+$')", "cannot be written here"),
        ("F.origin * 1000000000", "cannot be written here"),
        ("'%1000000000d' % F.delay", "a number behind it"),
        ("'%1000000000d' % 5 == F.origin", "% is for numbers"),
        ("F.delay ** 99999999", "cannot be written here"),
        ("F.delay.round(-1000000000) > 1", "at most 20 digits"),
        ("F.delay.round(F.crew) > 1", "at most 20 digits"),
        ("F.delay > 1 / 0", "division by zero"),
        ("[x for x in F.tags]", "cannot be written here"),
        ("(lambda: 1)()", "cannot be written here"),
        ("F.delay is 20", "is None"),
        ("'a'.lower()", "fields and methods of F"),
        ("F.origin.is_in('SEA')", "is_in takes a list"),
        ("F.x > " + "1" * 600, "500 characters"),
    ],
)
def test_text_that_is_no_expression_is_refused_and_says_why(text: str, named: str) -> None:
    with pytest.raises(ExpressionTextError, match=named):
        parse_expression(text)


def test_expressions_in_the_docs_can_be_typed() -> None:
    page = (Path(__file__).parents[3] / "docs" / "dashboard.md").read_text()
    typed = [line for line in page.splitlines() if line.startswith("F.")]
    assert len(typed) == 3
    for line in typed:
        parse_expression(line)


def test_text_of_a_record_is_not_formatted_by_a_remainder() -> None:
    """Whoever writes the record would say how long the result is."""
    with pytest.raises(TypeError, match="% is for numbers"):
        parse_expression("F.text % 5 == 0").compile()(None, {"text": "%1000000000d"})
