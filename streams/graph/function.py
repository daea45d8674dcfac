"""A user's function, or expression on `F`, together with what an operator passes to it."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, cast

from msgspec import Struct

from streams.context import Context
from streams.errors import SourceLine
from streams.expressions import Expression, collected

if TYPE_CHECKING:
    from streams.graph.logical import GraphBuilder


class UserFunction(Struct, frozen=True):
    """`target` is called with `arguments` in order, and with the record's `Context` last if `wants_context`.

    An `Expression` has no arguments: it names what it reads.
    """

    target: Callable[..., Any] | Expression
    arguments: tuple[str, ...] = ()
    wants_context: bool = False

    @property
    def name(self) -> str:
        """What error messages call it."""
        if isinstance(self.target, Expression):
            return repr(self.target)
        target: Any = self.target
        while isinstance(target, functools.partial):
            target = cast("functools.partial[Any]", target).func
        return getattr(target, "__qualname__", type(target).__qualname__)


def user_function(
    builder: GraphBuilder,
    operator: str,
    target: Any,
    *shapes: Sequence[str],
    origin: SourceLine | None,
    expression: bool = True,
    asynchronous: bool = False,
) -> UserFunction:
    """Checks what the user passed to `operator` and finds out how to call it.

    Args:
        shapes: the argument lists the operator can offer, the usual one first; the function's own count of
            positional parameters picks among them.
        expression: whether an expression on `F` fits here, or a tuple or dict of them.
        asynchronous: whether the operator awaits what the function gives; others would take the coroutine for its
            result.

    A function whose signature cannot be read (a builtin) is called with the first shape. What does not fit is noted
    as a problem at `origin`.
    """
    usual = tuple(shapes[0])
    target = collected(target)
    if isinstance(target, Expression):
        if not expression:
            builder.problem(
                f"{operator} needs a function of ({', '.join(usual)}), not the expression {target!r}", origin
            )
        return UserFunction(target)
    owner = getattr(target, "__self__", None)
    if isinstance(owner, Expression):  # F.order.source: a field with the name of a method
        builder.problem(
            f"{operator} got a method of the expression {owner!r}; for the field of that name write "
            f'{owner!r}["{target.__name__}"]',
            origin,
        )
        return UserFunction(owner)
    if not callable(target):
        field = f"; for the field of that name write F.{target}" if _is_field(target) and expression else ""
        builder.problem(f"{operator} needs a function of ({', '.join(usual)}), got {target!r}{field}", origin)
        return UserFunction(lambda *_: None, usual)
    if not asynchronous and is_async(target):
        builder.problem(
            f"{operator} needs a plain function, and {_name(target)} is async: asynchronous ones are for map_async on "
            "a stream",
            origin,
        )
    try:
        parameters = list(inspect.signature(target).parameters.values())
    except (TypeError, ValueError):
        return UserFunction(target, usual)
    wants_context = bool(parameters) and _is_context(parameters[-1], target)
    if wants_context:
        parameters.pop()
    required = [p for p in parameters if p.kind in _POSITIONAL and p.default is p.empty]
    positional = [p for p in parameters if p.kind in _POSITIONAL]
    starred = any(p.kind is p.VAR_POSITIONAL for p in parameters)
    for shape in shapes:
        if len(required) <= len(shape) and (starred or len(shape) <= len(positional)):
            return UserFunction(target, tuple(shape), wants_context)
    offers = " or ".join("(" + ", ".join(shape) + ")" for shape in shapes)
    builder.problem(
        f"{operator} calls its function with {offers}, but {_name(target)} takes {len(required)} argument(s)", origin
    )
    return UserFunction(target, usual, wants_context)


def is_async(target: Any) -> bool:
    """Whether calling `target` gives something to be awaited; a callable object's `__call__` counts."""
    while isinstance(target, functools.partial):
        target = cast("functools.partial[Any]", target).func
    return any(
        asks(function)
        for function in (target, getattr(target, "__call__", None))  # noqa: B004
        for asks in (inspect.iscoroutinefunction, inspect.isasyncgenfunction)
    )


def _name(target: Any) -> str:
    return getattr(target, "__qualname__", repr(target))


def _is_field(target: Any) -> bool:
    return isinstance(target, str) and target.isidentifier()


_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def _is_context(parameter: inspect.Parameter, target: Any) -> bool:
    annotation = parameter.annotation
    if isinstance(annotation, str):
        return annotation.rsplit(".", 1)[-1] == Context.__name__
    return annotation is Context
