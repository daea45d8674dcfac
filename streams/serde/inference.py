"""What a user's function returns, told without calling it.

In this order: a class makes instances of itself; a return annotation is believed; otherwise the function's bytecode is
looked at, which proves the common lambdas (`lambda flight, airport: Delay(airport.state, flight.delay)`).
"""

from __future__ import annotations

import functools
import inspect
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from streams.serde.bytecode import result_of_code
from streams.serde.reflection import plain_type
from streams.serde.unknown import Unknown

DEPTH = 4
"""How many functions deep a call is followed."""


def infer_result_type(function: Any, arguments: Sequence[Any] = (), *, depth: int = DEPTH) -> Any:
    """The type of what `function` returns, `Unknown` where nothing proves one.

    Args:
        arguments: types of the positional arguments it is called with, as far as known.

    The result may be optional (`str | None`) or any annotation; `-> None` and `-> Any` are `Unknown`. An async
    function's is that of what it is awaited for, a generator's its annotation (see `element_type`).
    """
    if isinstance(function, type):
        return instance_type(function)
    if isinstance(function, functools.partial):
        return infer_result_type(cast(Any, function).func, depth=depth)
    if isinstance(function, types.MethodType):
        owner: Any = function.__self__
        made: Any = owner if isinstance(owner, type) else type(owner)
        first: Any = Unknown if made is owner else made
        result = infer_result_type(function.__func__, (first, *arguments), depth=depth)
        return made if result is cast(Any, typing).Self else result
    if isinstance(function, types.FunctionType):
        wrapped = getattr(function, "__wrapped__", None)
        annotated = _annotated_result(function)
        if annotated is not Unknown or depth == 0 or wrapped is not None:
            return annotated
        return result_of_code(function, arguments, lambda called, given: infer_call(called, given, depth=depth - 1))
    cls = function.__class__
    call = inspect.getattr_static(cls, "__call__", None)
    if isinstance(call, types.FunctionType):
        return infer_result_type(call, (cls, *arguments), depth=depth)
    return KNOWN_RESULTS.get(function, Unknown) if isinstance(function, _BUILTINS) else Unknown


def infer_call(called: Any, arguments: Sequence[Any], *, depth: int) -> Any:
    """The type that calling an object found in a function's code gives."""
    if arguments and _is_copier(called):
        return arguments[0]
    if isinstance(called, type):
        return instance_type(called)
    return infer_result_type(called, arguments, depth=depth)


def instance_type(cls: Any) -> Any:
    """The class itself if calling it is sure to make an instance of it, else `Unknown`."""
    if cls is type or cls is object or cls is super:
        return Unknown
    named_tuple = tuple in cls.__mro__ and hasattr(cls, "_fields")
    if typing.is_typeddict(cls) or hasattr(cls, "__members__") or named_tuple:  # Python's own, which may be trusted
        return cls
    written = (inspect.getattr_static(cls.__class__, "__call__", None), getattr(cls, "__new__", None))
    # a metaclass or constructor written in Python may return anything
    return Unknown if any(isinstance(function, types.FunctionType) for function in written) else cls


def _annotated_result(function: types.FunctionType) -> Any:
    try:
        annotation = typing.get_type_hints(function, include_extras=True).get("return", Unknown)
    except (NameError, TypeError, AttributeError):
        annotation = _resolved_alone(function)
    if annotation is None or annotation is types.NoneType or annotation is Unknown:
        return Unknown
    return Unknown if plain_type(annotation) is Unknown else annotation


def _resolved_alone(function: types.FunctionType) -> Any:
    """The return annotation where another annotation cannot be resolved, or where its class is a local of the
    function's own surroundings."""
    try:
        annotation = function.__annotations__.get("return", Unknown)
    except NameError:  # evaluated on access from Python 3.14
        return Unknown
    if not isinstance(annotation, str):
        return annotation
    try:
        return eval(annotation, function.__globals__, closure_values(function))
    except Exception:  # whatever the text does: it proves nothing
        return Unknown


def closure_values(function: types.FunctionType) -> Mapping[str, Any]:
    """Name -> value of the variables a function takes from its surroundings; unset ones are left out."""
    values: dict[str, Any] = {}
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or ()):
        try:
            values[name] = cell.cell_contents
        except ValueError:
            continue
    return values


def _is_copier(called: Any) -> bool:
    """Whether a function returns something of its first argument's type."""
    return (getattr(called, "__module__", None), getattr(called, "__name__", None)) in {
        ("dataclasses", "replace"),
        ("msgspec.structs", "replace"),
        ("copy", "copy"),
        ("copy", "deepcopy"),
    }


_BUILTINS = (types.BuiltinFunctionType, types.MethodDescriptorType)

KNOWN_RESULTS: Mapping[Callable[..., Any], Any] = {
    len: int,
    ord: int,
    hash: int,
    id: int,
    repr: str,
    ascii: str,
    chr: str,
    format: str,
    hex: str,
    oct: str,
    bin: str,
    isinstance: bool,
    issubclass: bool,
    hasattr: bool,
    callable: bool,
    any: bool,
    all: bool,
    sorted: list,
    str.lower: str,
    str.upper: str,
    str.strip: str,
    str.lstrip: str,
    str.rstrip: str,
    str.title: str,
    str.capitalize: str,
    str.casefold: str,
    str.replace: str,
    str.join: str,
    str.format: str,
    str.zfill: str,
    str.removeprefix: str,
    str.removesuffix: str,
    str.split: list[str],
    str.startswith: bool,
    str.endswith: bool,
    str.isdigit: bool,
    str.encode: bytes,
    bytes.decode: str,
    bytes.hex: str,
}
"""What functions without annotations return."""
