"""Expressions give what the same Python gives, on values of every kind."""

from __future__ import annotations

import copy
import dataclasses
import operator
import pickle
from collections import OrderedDict
from collections.abc import Callable
from decimal import Decimal
from typing import Any, TypedDict

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.expressions import F, collected
from streams.serde import Unknown
from streams.windowed import Windowed


class User(msgspec.Struct):
    id: int | None
    name: str = "x"


class Flight(msgspec.Struct):
    delay: int | None
    origin: str = "JFK"
    user: User | None = None
    tags: list[str] = []
    key: str = "inner"


@dataclasses.dataclass
class Plain:
    delay: int | None
    origin: str = "JFK"


class Row(TypedDict):
    delay: int | None
    origin: str


KINDS: list[tuple[Any, Callable[..., Any]]] = [
    (Flight, Flight),
    (Plain, Plain),
    (Row, lambda delay, origin="JFK": {"delay": delay, "origin": origin}),
    (dict, lambda delay, origin="JFK": {"delay": delay, "origin": origin}),
    (Unknown, Flight),
    (Unknown, lambda delay, origin="JFK": {"delay": delay, "origin": origin}),
    (Unknown, lambda delay, origin="JFK": OrderedDict(delay=delay, origin=origin)),
]


@pytest.mark.parametrize(("kind", "make"), KINDS)
@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (F.delay, 20),
        (F["delay"], 20),
        (F.value.delay, 20),
        (F.delay > 15, True),
        (15 > F.delay, False),  # noqa: SIM300 (the reflected operator)
        (F.delay == 20, True),
        (F.delay != 20, False),
        (F.delay <= 19, False),
        (F.delay >= 20, True),
        (F.delay < 20, False),
        (F.delay + 1, 21),
        (1 + F.delay, 21),
        (F.delay - 1, 19),
        (1 - F.delay, -19),
        (F.delay * 2, 40),
        (2 * F.delay, 40),
        (F.delay / 8, 2.5),
        (50 / F.delay, 2.5),
        (F.delay // 8, 2),
        (50 // F.delay, 2),
        (F.delay % 8, 4),
        (50 % F.delay, 10),
        (F.delay**2, 400),
        (2**F.delay, 2**20),
        (-F.delay, -20),
        (-(F.delay + 1) * 2, -42),
        (F.delay - (F.delay - 1), 1),
        ((-F.delay) ** 2, 400),
        (-(F.delay**2), -400),
        ((F.delay > 15) & (F.origin == "JFK"), True),
        ((F.delay > 15) & (F.origin == "LAX"), False),
        ((F.delay > 50) | (F.origin == "JFK"), True),
        (~(F.delay > 15), False),
        (~(F.delay > 15) | True, True),
        (False & (F.delay > 15), False),
        (F.origin + "-" + F.origin, "JFK-JFK"),
        ("<" + F.origin, "<JFK"),
        (F.origin.lower(), "jfk"),
        (F.origin.lower().upper(), "JFK"),
        (F.origin.startswith("J"), True),
        (F.origin.startswith(("X", "L")), False),
        (F.origin.endswith("FK"), True),
        (F.origin.is_in(["JFK", "LAX"]), True),
        (F.origin.is_in([]), False),
        (F.delay.is_in([[1], 20]), True),
        (F.delay.cast(str) + "!", "20!"),
        (F.delay.cast(float), 20.0),
        (F.delay.cast(bool), True),
        (F.delay.cast(Decimal), Decimal(20)),
        ((F.delay - 30).abs(), 10),
        ((F.delay / 7).round(), 3),
        ((F.delay / 7).round(1), 2.9),
        (F.delay.is_null(), False),
        (F.delay.is_not_null(), True),
        (F.delay.default(5), 20),
        (F.origin[0], "J"),
        (F.origin[-1], "K"),
        (F.delay == Decimal(20), True),
        (F.delay == float("inf"), False),
        (F.delay > -1, True),
        (F.delay + -1, 19),
        (F.origin[0:2], "JF"),
        (F.origin[::-1], "KFJ"),
        (F.origin.len(), 3),
        (F.origin.contains("FK"), True),
        (F.origin.contains(F.origin[1]), True),
        (~F.origin.contains("X"), True),
        (F.delay.between(20, 30), True),
        (F.delay.between(21, 30), False),
        ((F.delay > 15).then("late", "fine"), "late"),
        ((F.delay > 50).then(1 / F.delay, 0), 0),
        ((" " + F.origin + " ").strip(), "JFK"),
        (F.origin.strip("K"), "JF"),
        (F.origin.replace("F", F.origin[0]), "JJK"),
        (("a,b," + F.origin).split(",")[2], "JFK"),
        (("a b " + F.origin).split().len(), 3),
        (F.origin.startswith(F.origin[0]), True),
        (F.origin.matches("^J.K$"), True),
        (F.origin.matches("^F"), False),
        (collected((F.origin, F.delay + 1, "x")), ("JFK", 21, "x")),
        (collected((F.origin,)), ("JFK",)),
        (
            collected({"at": F.origin, "n": {"minutes": F.delay, "unit": "m"}}),
            {"at": "JFK", "n": {"minutes": 20, "unit": "m"}},
        ),
    ],
    ids=lambda value: repr(value),
)
def test_expression_on_value_of_any_kind_is_its_python(kind: Any, make: Any, expression: Any, expected: Any) -> None:
    result = expression.compile(kind)("k", make(20))
    assert result == expected
    assert type(result) is type(expected)


ABSENT: list[tuple[Any, Any]] = [
    (Flight, Flight(None)),
    (Flight, None),
    (Row, {"origin": "x"}),
    (Row, {"delay": None}),
    (dict, {}),
    (dict, None),
    (Unknown, {}),
    (Unknown, {"delay": None}),
    (Unknown, Flight(None)),
    (Unknown, User(1)),
    (Unknown, None),
]


@pytest.mark.parametrize(("kind", "value"), ABSENT)
def test_absence_operations_on_missing_field_see_null(kind: Any, value: Any) -> None:
    assert F.delay.is_null().compile(kind)("k", value) is True
    assert F.delay.is_not_null().compile(kind)("k", value) is False
    assert F.delay.default(7).compile(kind)("k", value) == 7
    assert (F.delay.default(7) + 1).compile(kind)("k", value) == 8
    assert F.delay.default(F.offset).compile(kind)("k", value, offset=9) == 9
    assert F.delay.default(None).compile(kind)("k", value) is None


@pytest.mark.parametrize(("kind", "value"), ABSENT)
def test_comparison_with_missing_field_raises_as_python_does(kind: Any, value: Any) -> None:
    with pytest.raises((TypeError, AttributeError, KeyError)):
        (F.delay > 15).compile(kind)("k", value)


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        (Flight, Flight(1, user=User(5)), 5),
        (Flight, Flight(1, user=User(None)), 0),
        (Flight, Flight(1), 0),
        (Flight, None, 0),
        (Unknown, {"user": {"id": 5}}, 5),
        (Unknown, {"user": User(5)}, 5),
        (Unknown, Flight(1, user=User(5)), 5),
        (Unknown, {"user": {}}, 0),
        (Unknown, {"user": None}, 0),
        (Unknown, {}, 0),
        (dict[str, User], {"user": User(5)}, 5),
        (dict[str, User], {}, 0),
    ],
)
def test_default_of_nested_path_holds_for_every_step(kind: Any, value: Any, expected: int) -> None:
    assert F.user.id.default(0).compile(kind)("k", value) == expected
    assert F.user.id.is_null().compile(kind)("k", value) is (expected == 0)
    assert (F.user.id.default(0) + F.user.id.default(1) * 0).compile(kind)("k", value) == expected


def test_default_of_default_takes_the_first_that_is_there() -> None:
    expression = F.a.default(F.b.default(F.c.default(0)))
    run = expression.compile(dict)
    assert [run("k", v) for v in ({"a": 1}, {"b": 2}, {"c": 3}, {}, {"a": None, "c": 4})] == [1, 2, 3, 0, 4]
    assert F.a.default(F.b).default(5).compile(dict)("k", {}) == 5


def test_record_attributes_come_from_the_record() -> None:
    where: dict[str, Any] = {"timestamp": 5, "topic": "t", "partition": 2, "offset": 9}
    for name, value in where.items():
        assert getattr(F, name).compile()("k", None, **where) == value
    assert F.key.compile()("k", None) == "k"
    assert F.key.is_null().compile()(None, 1) is True
    assert F.value.compile()("k", 7) == 7
    assert (F.key + ":" + F.topic).compile()("k", None, topic="t") == "k:t"


def test_headers_give_the_last_of_a_name_or_none() -> None:
    headers = [("a", b"1"), ("b", None), ("a", b"2")]
    assert F.headers["a"].compile()("k", 1, headers=headers) == b"2"
    assert F.headers["a"].decode().cast(int).compile()("k", 1, headers=headers) == 2
    assert F.headers["b"].is_null().compile()("k", 1, headers=headers) is True
    assert F.headers["c"].compile()("k", 1, headers=headers) is None
    assert F.headers["c"].default(b"x").compile()("k", 1, headers=None) == b"x"
    assert F.headers.compile()("k", 1, headers=None) == []


def test_reserved_names_of_the_value_are_reached_by_item_and_by_value() -> None:
    for expression in (F["key"], F.value.key):
        assert expression.compile(Flight)("outer", Flight(1)) == "inner"
        assert expression.compile(dict)("outer", {"key": "inner"}) == "inner"
    assert F.order["source"].compile(Unknown)("k", {"order": {"source": "web"}}) == "web"


def test_field_of_windowed_key_is_read() -> None:
    key = Windowed("JFK", 5, 10)
    assert F.key.start.compile(Flight, Windowed[str])(key, None) == 5
    assert F.key.key.compile()(key, None) == "JFK"


def test_field_that_is_no_identifier_is_read() -> None:
    assert F["my field"].compile(dict)("k", {"my field": 1}) == 1
    assert F["class"].compile(Unknown)("k", {"class": 1}) == 1
    assert F['it\'s "x"\n'].default(0).compile(Unknown)("k", {'it\'s "x"\n': 1}) == 1


def test_logic_stops_at_the_side_that_settles_it() -> None:
    assert (F.user.is_not_null() & (F.user.id > 5)).compile(Flight)("k", Flight(1)) is False
    assert (F.user.is_null() | (F.user.id > 5)).compile(Flight)("k", Flight(1)) is True


def test_expression_in_condition_raises_with_the_cure() -> None:
    with pytest.raises(TypeError, match="write & for and"):
        bool(F.delay > 15)
    with pytest.raises(TypeError, match="write & for and"):
        _ = (F.delay > 15) and (F.delay < 20)
    with pytest.raises(TypeError, match="write & for and"):
        _ = 15 < F.delay < 20
    with pytest.raises(TypeError, match="parentheses"):
        _ = F.delay > 15 & F.delay < 20
    with pytest.raises(TypeError, match="use a function for bits"):
        _ = F.delay & 1
    with pytest.raises(TypeError, match="is_in"):
        _ = "a" in F.origin
    with pytest.raises(TypeError, match="is_in"):
        F.origin.is_in("JFK")
    with pytest.raises(TypeError, match="cannot be iterated"):
        list(F.tags)
    with pytest.raises(TypeError, match="no truth value"):
        bool(F)
    with pytest.raises(TypeError, match=r"F\.value"):
        _ = F.delay + F
    with pytest.raises(TypeError, match="by its name"):
        _ = F.headers[0]


def test_expression_is_immutable_hashable_and_copyable() -> None:
    expression = F.delay > 15
    assert len({expression, F.delay, F.delay, expression}) == 3
    with pytest.raises((AttributeError, TypeError)):
        F.delay.anything = 5
    with pytest.raises((AttributeError, TypeError)):
        F.anything = 5  # type: ignore
    for twin in (copy.copy(expression), copy.deepcopy(expression), pickle.loads(pickle.dumps(expression))):
        assert repr(twin) == repr(expression)


OPERATORS: list[Callable[[Any, Any], Any]] = [
    operator.add,
    operator.sub,
    operator.mul,
    operator.lt,
    operator.le,
    operator.eq,
    operator.ne,
]


@st.composite
def trees(draw: st.DrawFn) -> Callable[[Any, Any], Any]:
    """A function of two numbers that works on ints and on expressions alike."""
    leaf = st.one_of(st.just(lambda a, b: a), st.just(lambda a, b: b), st.integers(-9, 9).map(lambda n: lambda a, b: n))

    def grown(inner: Any) -> Any:
        def binary(op: Any, left: Any, right: Any) -> Any:
            return lambda a, b: op(left(a, b), right(a, b))

        return st.builds(binary, st.sampled_from(OPERATORS), inner, inner) | inner.map(
            lambda child: lambda a, b: -child(a, b)
        )

    return draw(st.recursive(leaf, grown, max_leaves=12))


@given(trees(), st.integers(-50, 50), st.integers(-50, 50))
def test_tree_of_operators_gives_what_python_gives(tree: Any, a: int, b: int) -> None:
    expected = tree(a, b)
    built = tree(F.a, F.b)
    result = built.compile(Unknown)("k", {"a": a, "b": b}) if hasattr(built, "compile") else built
    assert result == expected


def test_pattern_that_is_none_is_told_at_once() -> None:
    with pytest.raises(ValueError, match=r"matches needs a regular expression, got '\('"):
        F.origin.matches("(")


def test_choice_looks_at_one_side_only() -> None:
    expression = (F.delay == 0).then(0, 100 / F.delay)
    assert expression.compile()(None, {"delay": 0}) == 0
    assert expression.compile()(None, {"delay": 5}) == 20


def test_reprs_of_functions_read_as_written() -> None:
    for expression, text in (
        (F.a.contains("x"), "F.a.contains('x')"),
        (F.a[1:], "F.a[1:]"),
        (F.a[:2:3], "F.a[:2:3]"),
        (F.a.len() > 3, "F.a.len() > 3"),
        ((F.a > 1).then(F.b, 0), "(F.a > 1).then(F.b, 0)"),
        (F.a.replace("x", F.b), "F.a.replace('x', F.b)"),
        (F.a.matches("x+"), "F.a.matches('x+')"),
        (collected((F.a, 1)), "(F.a, 1)"),
        (collected({"k": F.a}), "{'k': F.a}"),
    ):
        assert repr(expression) == text


def test_tuple_or_dict_without_expressions_is_left_alone() -> None:
    assert collected((1, 2)) == (1, 2)
    assert collected({"a": 1}) == {"a": 1}
