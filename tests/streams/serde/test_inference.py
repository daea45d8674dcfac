"""Result types of user functions: annotations are believed, bytecode proves, everything else is Unknown."""

from __future__ import annotations

import copy
import dataclasses
import functools
from collections.abc import Callable, Iterator
from enum import Enum
from typing import Any, NamedTuple, Self, TypedDict

import pytest

from streams.serde import Unknown, element_type, infer_result_type, pair_types


@dataclasses.dataclass
class Flight:
    origin: str
    delay: int
    weight: float
    carrier: Carrier

    def late(self) -> bool:
        return self.delay > 15

    def code(self):
        return self.origin


@dataclasses.dataclass
class Carrier:
    name: str


@dataclasses.dataclass
class Delay:
    state: str
    minutes: int

    @classmethod
    def zero(cls, state: str) -> Self:
        return cls(state, 0)

    @classmethod
    def of(cls, state: str):
        return cls(state, 0)


class Row(TypedDict):
    name: str
    size: int


class Point(NamedTuple):
    x: int


class Color(Enum):
    RED = 1


class Shifty:
    """Calling it makes something else."""

    def __new__(cls, *arguments: Any) -> Any:
        return 5


class ShiftyMeta(type):
    def __call__(cls, *arguments: Any) -> Any:
        return 5


class Shifted(metaclass=ShiftyMeta):
    pass


class Module:
    Delay = Delay


class Mapper:
    def __call__(self, value: Any) -> Delay:
        return Delay("", 0)

    def mapped(self, value: Any):
        return Delay("", 0)


SIZE = 5
FLIGHT = (Flight,)


def annotated(value: Any) -> Delay:
    return value


def called_annotated(value: Any):
    return annotated(value)


def recursive(value: Any):
    return recursive(value)


def through_local(flight: Any, airport: Any):
    delay = Delay(airport.state, flight.delay)
    return delay  # noqa: RET504 (the detour is the point)


def rebound(flight: Any):
    result = Delay("", 0)
    result = flight
    return result  # noqa: RET504 (the detour is the point)


def changed_typed_dict(row: Any):
    row["more"] = 1
    return row


def guarded(value: Any):
    try:
        return Delay("", 0)
    except ValueError:
        return None


def generator(value: Any):
    yield Delay("", 0)


async def asynchronous(value: Any):
    return Delay("", 0)


async def asynchronous_annotated(value: Any) -> Delay:
    return Delay("", 0)


def unresolved(value: Missing) -> Delay:  # type: ignore  # noqa: F821
    return value


def unresolved_result(value: Any) -> Missing:  # type: ignore  # noqa: F821
    return value


def nothing(value: Any) -> None:
    return None


def anything(value: Any) -> Any:
    return value


CASES: list[tuple[str, Callable[..., Any], tuple[Any, ...], Any]] = [
    ("class", Delay, (), Delay),
    ("constructor", lambda f, a: Delay(a.state, f.delay), (), Delay),
    ("constructor-keywords", lambda f, a: Delay(state=a.state, minutes=f.delay), (), Delay),
    ("constructor-mixed", lambda f, a: Delay(a.state, minutes=f.delay + 1), (), Delay),
    ("constructor-nested-calls", lambda f, a: Delay(str(a.f(f, g=1)), max(f.delay, 0)), (), Delay),
    ("constructor-star", lambda v: Delay(*v), (), Delay),
    ("constructor-double-star", lambda v: Delay(**v), (), Delay),
    ("constructor-star-both", lambda v: Delay(*v, **v), (), Delay),
    ("constructor-inner-lambda", lambda v: Delay(sorted(v, key=lambda x: x.y)[0], v[1:2]), (), Delay),
    ("constructor-subscripts", lambda v: Delay(v["a"], v[0][1:]), (), Delay),
    ("constructor-f-string", lambda v: Delay(f"{v.a!r}-{v.b:>5}", -v.c), (), Delay),
    ("constructor-displays", lambda v: Delay([v, 1, *v], {"a": v, **v}), (), Delay),
    ("constructor-of-class-attribute", lambda v: Module.Delay(v, 1), (), Delay),
    ("constructor-of-class-attribute-keywords", lambda v: Module.Delay(v, minutes=1), (), Delay),
    ("constructor-through-local", through_local, (), Delay),
    ("class-method-self", lambda v: Delay.zero(v), (), Delay),
    ("class-method-self-keywords", lambda v: Delay.zero(state=v), (), Delay),
    ("class-method-bound", Delay.zero, (), Delay),
    ("class-method-unannotated", lambda v: Delay.of(v), (), Unknown),
    ("typed-dict", lambda v: Row(name=v, size=1), (), Row),
    ("named-tuple", lambda v: Point(v), (), Point),
    ("enum", lambda v: Color(v), (), Color),
    ("shifty-new", lambda v: Shifty(v), (), Unknown),
    ("shifty-metaclass", lambda v: Shifted(), (), Unknown),
    ("type-of", lambda v: type(v), (), Unknown),
    ("conditional-argument", lambda v: Delay("a" if v.x else "b", 1), (), Unknown),
    ("conditional", lambda v: Delay("a", 1) if v else None, (), Unknown),
    ("or", lambda v: v or Delay("", 0), (), Unknown),
    ("try", guarded, (), Unknown),
    ("comprehension", lambda v: Delay([x.y for x in v], 1), (), Unknown),
    ("rebound-local", rebound, (), Unknown),
    ("rebound-local-typed", rebound, FLIGHT, Flight),
    ("generator", generator, (), Unknown),
    ("async", asynchronous, (), Unknown),
    ("async-annotated", asynchronous_annotated, (), Delay),
    ("annotated", annotated, (), Delay),
    ("annotated-called", called_annotated, (), Delay),
    ("annotated-called-by-lambda", lambda k, v: annotated(v), (), Delay),
    ("recursive", recursive, (), Unknown),
    ("other-annotation-unresolved", unresolved, (), Delay),
    ("annotation-unresolved", unresolved_result, (), Unknown),
    ("none", nothing, (), Unknown),
    ("any", anything, (), Unknown),
    ("partial", functools.partial(annotated, 1), (), Delay),
    ("callable-object", Mapper(), (), Delay),
    ("bound-method", Mapper().mapped, (), Delay),
    ("f-string", lambda v: f"{v}", (), str),
    ("f-string-many", lambda v: f"{v.a}-{v.b:.2f}", (), str),
    ("str", lambda v: str(v.x), (), str),
    ("len", lambda v: len(v), (), int),
    ("int", lambda v: int(v["x"]), (), int),
    ("isinstance", lambda v: isinstance(v, int), (), bool),
    ("not", lambda v: not v, (), bool),
    ("is", lambda v: v is None, (), bool),
    ("in", lambda v: v.x in ("a", "b"), (), bool),
    ("string-constant", lambda v: "x", (), str),
    ("int-constant", lambda v: 1, (), int),
    ("large-int-constant", lambda v: 10**9, (), int),
    ("none-constant", lambda v: None, (), Unknown),
    ("global-constant", lambda v: SIZE, (), int),
    ("dict-display", lambda v: {"a": v.x, "b": 1}, (), dict),
    ("dict-call", lambda v: dict(v), (), dict),
    ("list-display", lambda v: [v, v], (), list),
    ("tuple", lambda v: (v.x, 1), (), tuple[Any, int]),
    ("pair", lambda k, v: (v.origin, Delay(v.origin, 1)), (str, Flight), tuple[str, Delay]),
    ("pair-constant", lambda v: ("a", 1), (), tuple[str, int]),
    ("argument", lambda k, v: v, (str, Flight), Flight),
    ("argument-unknown", lambda k, v: v, (), Unknown),
    ("field", lambda k, v: v.origin, (str, Flight), str),
    ("field-of-field", lambda k, v: v.carrier.name, (str, Flight), str),
    ("field-method", lambda k, v: v.origin.lower(), (str, Flight), str),
    ("field-unknown", lambda k, v: v.nothing, (str, Flight), Unknown),
    ("field-of-unknown", lambda k, v: v.origin, (), Unknown),
    ("field-sum", lambda v: v.delay + 1, FLIGHT, int),
    ("field-quotient", lambda v: v.delay / 60, FLIGHT, float),
    ("field-product", lambda v: v.delay * v.weight, FLIGHT, float),
    ("field-power", lambda v: v.delay**2, FLIGHT, Unknown),
    ("field-concatenation", lambda v: v.origin + "-" + v.carrier.name, FLIGHT, str),
    ("field-in-place", lambda v: v.weight.__class__, FLIGHT, Unknown),
    ("method", lambda v: v.late(), FLIGHT, bool),
    ("method-unannotated", lambda v: v.code(), FLIGHT, str),
    ("comparison", lambda v: v.delay > 15, FLIGHT, Unknown),
    ("item", lambda v: v["name"], (Row,), str),
    ("item-of-dict", lambda v: v["a"], (dict[str, int],), int),
    ("item-of-list", lambda v: v[0], (list[int],), int),
    ("item-variable", lambda k, v: v[k], (str, Row), Unknown),
    ("typed-dict-changed", changed_typed_dict, (Row,), dict),
    ("replace", lambda v: dataclasses.replace(v, delay=0), FLIGHT, Flight),
    ("copy", lambda v: copy.copy(v), FLIGHT, Flight),
    ("builtin-function", str.upper, (), str),
    ("builtin-unknown", max, (), Unknown),
    ("not-callable", 5, (), Unknown),
]


@pytest.mark.parametrize(("function", "arguments", "expected"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_infer_result_type_of_function(function: Any, arguments: tuple[Any, ...], expected: Any) -> None:
    assert infer_result_type(function, arguments) == expected


def test_infer_result_type_of_local_class_in_closure_resolves_it() -> None:
    class Local:
        pass

    def make(value: Any) -> Local:
        return Local()

    assert infer_result_type(make) is Local
    assert infer_result_type(lambda value: Local()) is Local
    assert infer_result_type(lambda value: make(value)) is Local


def test_infer_result_type_of_keyword_arguments_not_taken_for_positional() -> None:
    def swapped(first: Any, second: Any):
        return second

    assert infer_result_type(lambda v: swapped(v, second=1), (Flight,)) is Unknown
    assert infer_result_type(lambda v: swapped(second=v, first=1), (Flight,)) is Unknown
    assert infer_result_type(lambda v: swapped(1, v), (Flight,)) is Flight


def test_infer_result_type_of_captured_variable_changed_inside_is_unknown() -> None:
    def changing(value: Any):
        result = Delay("", 0)

        def change() -> None:
            nonlocal result
            result = value

        change()
        return result

    assert infer_result_type(changing) is Unknown


def test_infer_result_type_of_wrapped_function_believes_its_annotation() -> None:
    @functools.wraps(annotated)
    def wrapper(*arguments: Any):
        return 5

    assert infer_result_type(wrapper) is Delay


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (list[int], int),
        (Iterator[Delay], Delay),
        (tuple[str, ...], str),
        (tuple[int, int], int),
        (tuple[int, str], Unknown),
        (list, Unknown),
        (str, str),
        (Delay, Unknown),
        (list[Any], Unknown),
        (list[int] | None, int),
    ],
)
def test_element_type_of_type(kind: Any, expected: Any) -> None:
    assert element_type(kind) is expected


def test_pair_types_of_pair_gives_both_and_unknown_for_any() -> None:
    assert pair_types(tuple[str, Any]) == (str, Unknown)
    assert pair_types(tuple[str, Delay]) == (str, Delay)
    assert pair_types(tuple[str, ...]) == (Unknown, Unknown)
    assert pair_types(tuple[str, int, int]) == (Unknown, Unknown)
    assert pair_types(Unknown) == (Unknown, Unknown)
