"""The stack and the locals of a function whose code is run on types in place of values."""

from __future__ import annotations

import builtins
import inspect
import sys
import types
from collections.abc import Callable, Sequence
from typing import Any, cast, get_origin

from msgspec import Struct

from streams.serde.reflection import class_of, field_type, is_typed_dict, plain_type
from streams.serde.unknown import Unknown

Call = Callable[[Any, Sequence[Any]], Any]
"""(object called, types of its positional arguments) -> type of the result."""

NOTHING = object()
"""No object is known."""
PLACEHOLDER = object()
"""What stands beside a callable on the stack: NULL, or the object a method is bound to."""


class Entry(Struct, frozen=True):
    """What is known of one place on the stack: its type, and the object itself where code names it."""

    type: Any = Unknown
    object: Any = NOTHING


class Method(Struct, frozen=True):
    """A method looked up on a value of type `owner`."""

    function: Any
    owner: Any


ANYTHING = Entry()
NULL = Entry(object=PLACEHOLDER)


class TypeStack:
    """The state of one such run; `entries` is the stack, the top last."""

    def __init__(self, function: types.FunctionType, parameters: dict[str, Entry], call: Call) -> None:
        self.function = function
        self.locals = parameters
        self.call = call
        self.entries: list[Entry] = []
        self.keywords = 0  # arguments given by name to the next call (Python 3.11 and 3.12)

    def pop(self, count: int) -> list[Entry]:
        """Takes the topmost entries, the lowest of them first."""
        if count > len(self.entries):
            raise IndexError
        taken = self.entries[len(self.entries) - count :]
        del self.entries[len(self.entries) - count :]
        return taken

    def push(self, *entries: Entry) -> None:
        self.entries.extend(entries)

    def push_callable(self, entry: Entry) -> None:
        """A callable and its placeholder, which stands above it from Python 3.13 and below it before."""
        self.push(*((entry, NULL) if sys.version_info >= (3, 13) else (NULL, entry)))

    def global_named(self, name: str) -> Entry:
        for scope in (self.function.__globals__, vars(builtins)):
            if name in scope:
                return named(scope[name])
        return ANYTHING

    def captured(self, name: str) -> Entry:
        free = self.function.__code__.co_freevars
        if name in free and self.function.__closure__ is not None:
            try:
                return named(self.function.__closure__[free.index(name)].cell_contents)
            except ValueError:  # not set yet
                return ANYTHING
        return ANYTHING

    def may_change_contents(self) -> None:
        """Foreign code ran, or an item was set: dicts and lists may hold other things than before."""
        self.locals = {name: Entry(bare(entry.type), entry.object) for name, entry in self.locals.items()}
        self.entries = [Entry(bare(entry.type), entry.object) for entry in self.entries]


def constant(value: Any) -> Entry:
    """A constant of the code: known by its type only."""
    if type(value) is tuple:
        return Entry(tuple_of([constant(item) for item in cast(tuple[Any, ...], value)]))
    return Entry(type(value)) if type(value) in (str, int, float, bool, bytes) else ANYTHING


def named(value: Any) -> Entry:
    """Something the code refers to by name: functions and classes as they are, constants by their type."""
    return Entry(constant(value).type, value)


def tuple_of(entries: Sequence[Entry]) -> Any:
    """`tuple[…]` of the entries' types, `Any` for the unknown ones."""
    kinds = tuple(Any if entry.type is Unknown else entry.type for entry in entries)
    return cast(Any, tuple)[kinds] if kinds else tuple


def bare(kind: Any) -> Any:
    """What remains sure of a type when others may have put things into its value."""
    plain = plain_type(kind)
    if is_typed_dict(plain):
        return dict
    origin: Any = get_origin(plain)
    return origin if origin in (dict, list, set) else kind


def attribute(owner: Entry, name: str) -> Entry:
    """`owner.name`: looked up in modules and classes, by annotation in values."""
    if isinstance(owner.object, types.ModuleType | type):
        found = getattr(owner.object, name, NOTHING)
        return ANYTHING if found is NOTHING else named(found)
    if owner.type is Unknown:
        return ANYTHING
    field = field_type(owner.type, name)
    if field is not Unknown:
        return Entry(field)
    cls = class_of(plain_type(owner.type))
    method = None if cls is None else inspect.getattr_static(cls, name, None)
    if isinstance(method, types.FunctionType | types.MethodDescriptorType):
        return Entry(object=Method(method, owner.type))
    return ANYTHING
