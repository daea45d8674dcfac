"""What an aggregate needs of the values it is given, and which types can never have it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from operator import attrgetter
from typing import Any, Literal, get_args, get_origin

import msgspec
from msgspec import Struct

from streams.serde import Unknown
from streams.serde.reflection import alternatives, class_of

DATED = (date, timedelta)
LESS_THAN: Callable[[Any], Any] = attrgetter("__lt__")


class Demand(Struct, frozen=True):
    """`what` values have to be, and what else can be written where they are not."""

    what: str
    cure: str

    def refuses(self, kind: Any) -> bool:
        """Whether no value of a declared type is of use. A type nobody knows is not refused, nor a union that has
        a member of use."""
        return all(self._refuses_class(each) for each in _classes(kind))

    def _refuses_class(self, cls: Any) -> bool:
        if not isinstance(cls, type):
            return False
        if self is COMPARABLE:
            if issubclass(cls, msgspec.Struct):
                return not cls.__struct_config__.order and LESS_THAN(cls) is LESS_THAN(msgspec.Struct)
            return issubclass(cls, Mapping | complex) or LESS_THAN(cls) is LESS_THAN(object)
        # dates and durations add to their like, but not to the 0 that a total begins with
        return not hasattr(cls, "__radd__") or issubclass(cls, (*DATED, Decimal) if self is BINARY else DATED)


NUMBER = Demand("numbers", "make a number of it first, such as with F.field.cast(float)")
BINARY = Demand("ints or floats", "make a float of it first, such as with F.field.cast(float)")
COMPARABLE = Demand("values that have an order", "take a field that has one")


def _classes(kind: Any) -> list[Any]:
    """The classes that values of the type can be of; None for what is not known."""
    found: list[Any] = []
    for each in alternatives(kind):
        if get_origin(each) is Literal:
            found += [type(value) for value in get_args(each)]
        else:
            found.append(None if each is Unknown or each is Any else class_of(each))
    return found
