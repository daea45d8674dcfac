"""Expressions as the compiler sees them: source text, fields read, result types, mistakes, reprs."""

from __future__ import annotations

import enum
from typing import Any

import msgspec
import pytest

from streams.expressions import F, RecordNames
from streams.expressions.compiled import Bindings
from streams.serde import Unknown
from streams.windowed import Windowed


class User(msgspec.Struct):
    id: int
    name: str | None = None


class Flight(msgspec.Struct):
    delay: int
    weight: float
    origin: str
    user: User
    late: bool
    note: str | None = None


class Color(enum.StrEnum):
    RED = "red"


def names(kind: Any, key: Any = Unknown) -> RecordNames:
    return RecordNames(
        key="k",
        value="v",
        timestamp="ts",
        headers="h",
        topic="m.topic()",
        partition="m.partition()",
        offset="m.offset()",
        value_type=kind,
        key_type=key,
    )


@pytest.mark.parametrize(
    ("expression", "kind", "source"),
    [
        (F.delay > 15, Flight, "(v.delay > 15)"),
        (F.delay > 15, dict, "(v['delay'] > 15)"),
        (F.delay, Unknown, "(v['delay'] if isinstance(v, dict) else v.delay)"),
        (F.user.id, Flight, "v.user.id"),
        ((F.delay > 15) & ~F.late, Flight, "((v.delay > 15) and (not v.late))"),
        (F.origin.lower() == "jfk", Flight, "(v.origin.lower() == 'jfk')"),
        (F.delay.default(0), Flight, "(0 if (_f := (None if v is None else v.delay)) is None else _f)"),
        (F.key, Flight, "k"),
        (F.timestamp, Flight, "ts"),
        (F.topic, Flight, "m.topic()"),
        (F.delay == -1, Flight, "(v.delay == (-1))"),
        (F.delay.cast(str), Flight, "str(v.delay)"),
        (F.delay.is_in([1]), Flight, "(v.delay in _c0)"),
        (F.origin == Color.RED, Flight, "(v.origin == _c0)"),
        (F.delay == float("nan"), Flight, "(v.delay == _c0)"),
    ],
    ids=repr,
)
def test_source_of_expression_is_plain_python(expression: Any, kind: Any, source: str) -> None:
    assert expression.source(names(kind), Bindings()) == source


def test_constant_that_source_cannot_hold_is_bound_as_itself() -> None:
    bindings = Bindings()
    (F.origin == Color.RED).source(names(Flight), bindings)
    assert list(bindings.names.values()) == [Color.RED]
    assert bindings.names["_c0"] is Color.RED


@pytest.mark.parametrize(
    ("expression", "fields"),
    [
        (F.delay > 15, ["delay"]),
        ((F.delay > 15) & F.user.id.is_in([1]), ["delay", "user"]),
        (F.delay.default(F.weight), ["delay", "weight"]),
        (F["key"] == F.key, ["key"]),
        (F.origin.lower()[0], ["origin"]),
        (F.key.start + F.timestamp, []),
        (F.headers["x"].decode(), []),
        (F.value, None),
        (F.value == 5, None),
        (F.value[0], None),
        (F[0], None),
        (F.delay + F.value.cast(int), None),
    ],
    ids=repr,
)
def test_fields_of_expression_are_the_top_level_ones_it_reads(expression: Any, fields: Any) -> None:
    read = expression.fields()
    assert (None if read is None else sorted(read)) == fields


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (F.value, Flight),
        (F.key, str),
        (F.delay, int),
        (F.note, str | None),
        (F.user.id, int),
        (F.nothing, Unknown),
        (F.delay + 1, int),
        (F.delay + F.weight, float),
        (F.delay / 2, float),
        (F.delay // 2, int),
        (F.delay**2, Unknown),
        (F.late + F.late, int),
        (-F.delay, int),
        (F.origin + "x", str),
        (F.origin + 1, Unknown),
        (F.nothing + 1, Unknown),
        (F.delay > 1, bool),
        ((F.delay > 1) & F.late, bool),
        (~F.delay, bool),
        (F.delay.is_null(), bool),
        (F.delay.is_in([1]), bool),
        (F.origin.startswith("x"), bool),
        (F.origin.upper(), str),
        (F.delay.cast(str), str),
        (F.nothing.cast(float), float),
        (F.delay.abs(), int),
        (F.weight.abs(), float),
        (F.nothing.abs(), Unknown),
        (F.weight.round(), int),
        (F.weight.round(2), float),
        (F.note.default("x"), str),
        (F.note.default(1), str | int),
        (F.weight.default(0), float),
        (F.nothing.default(1), Unknown),
        (F.timestamp, int),
        (F.topic, str),
        (F.headers["x"], bytes | None),
        (F.headers["x"].decode(), str),
        (F.origin[0], Unknown),
    ],
    ids=repr,
)
def test_result_type_of_expression_follows_from_the_declared_types(expression: Any, expected: Any) -> None:
    assert expression.result_type(Flight, str) == expected


def test_result_type_of_windowed_key_fields() -> None:
    assert F.key.key.result_type(Flight, Windowed[str]) is str
    assert F.key.start.result_type(Flight, Windowed[str]) is int


def test_problems_of_misspelt_field_name_the_type_and_the_nearest_field() -> None:
    (problem,) = ((F.delai > 15) & F.late).problems(Flight)
    assert problem == "F.delai: Flight has no field 'delai'; did you mean 'delay'?"
    (problem,) = F.user.xyz.problems(Flight)
    assert problem == "F.user.xyz: User has no field 'xyz'; it has id, name"
    assert F.usr.id.problems(Flight) == ("F.usr: Flight has no field 'usr'; did you mean 'user'?",)
    assert F.delai.problems(dict) == ()
    assert F.delai.problems(Unknown) == ()
    assert F.user.id.problems(Flight) == ()
    assert F.key.begin.problems(Flight, Windowed[str]) == (
        "F.key.begin: Windowed[str] has no field 'begin'; it has key, start, end",
    )


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        (F, "F"),
        (F.delay > 15, "F.delay > 15"),
        ((F.delay > 15) & ~F.late, "(F.delay > 15) & (~F.late)"),
        ((F.a + 1) * 2, "(F.a + 1) * 2"),
        (F["key"], 'F["key"]'),
        (F.user["source"], 'F.user["source"]'),
        (F.source, "F.source"),
        (F["a b"], 'F["a b"]'),
        (F.value[0], "F.value[0]"),
        (F.headers["x"], "F.headers['x']"),
        (F.a.default(0).is_in([1, 2]), "F.a.default(0).is_in([1, 2])"),
        ((-F.a).abs().round(2), "(-F.a).abs().round(2)"),
        (F.a.cast(int).is_null(), "F.a.cast(int).is_null()"),
    ],
)
def test_repr_of_expression_reads_as_written(expression: Any, text: str) -> None:
    assert repr(expression) == text
