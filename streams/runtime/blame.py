"""Which of the user's functions raised, told from the traceback and from what the operator was given."""

from __future__ import annotations

import functools
import linecache
import re
from collections.abc import Iterator
from types import CodeType, TracebackType
from typing import Any, cast

from msgspec import Struct

from streams.expressions import Expression
from streams.graph.function import UserFunction
from streams.graph.node import Node
from streams.graph.origin import PACKAGE
from streams.operators.aggregation import Column, NamedAggregation

GENERATED = "<headrace "
OF_NODE = frozenset(Node.__struct_fields__)


def blamed(node: Node | None, cause: BaseException) -> str:
    """The function by the name its author gave it, and the line that raised."""
    called, raised = _frames(cause.__traceback__)
    where = f" (raised at {raised[0]}:{raised[1]})" if raised is not None else ""
    functions = list(user_functions(node)) if node is not None else []
    for code in called:
        for function in functions:
            if _code(function.target) is code:
                return function.name + where
    for code in called:  # a processor, for one, is called by ours
        if not code.co_filename.startswith(str(PACKAGE)):
            return code.co_qualname + where
    column = _column(node, cause.__traceback__)
    if column is not None:
        return f"{column.name}={column.aggregate!r}" + where
    if _misses_result(node, called, cause) and not any(isinstance(each.target, Expression) for each in functions):
        return f"what {' or '.join(function.name for function in functions)} gave" + where
    inlined = [function.name for function in functions if _code(function.target) is None]
    return (" or ".join(dict.fromkeys(inlined)) if inlined else "the operator's own code") + where


def cure_of(node: Node | None, cause: BaseException) -> str:
    """What to do about it. An expression that raised by itself because of a null has operations for that."""
    called, _ = _frames(cause.__traceback__)
    inlined = any(isinstance(each.target, Expression) for each in user_functions(node)) if node is not None else False
    if inlined and not called and isinstance(cause, AttributeError | TypeError) and "NoneType" in str(cause):
        return "say what a null stands for (.default(x)), leave it out before (filter with .is_not_null())"
    if node is not None and node.result_rule is not None and _misses_result(node, called, cause):
        return node.result_rule
    column = _column(node, cause.__traceback__) if isinstance(cause, TypeError) else None
    if column is not None and column.aggregate.demand is not None and not called:
        return f"{column.aggregate.name} needs {column.aggregate.demand.what}: {column.aggregate.demand.cure}"
    return "make the function handle this record"


def _misses_result(node: Node | None, called: list[CodeType], cause: BaseException) -> bool:
    """Whether the user's function returned, and what it gave is not what the operator takes apart."""
    expected = node is not None and node.result_rule is not None and any(user_functions(node))
    return expected and not called and isinstance(cause, TypeError | ValueError)


def user_functions(holder: Any) -> Iterator[UserFunction]:
    """The functions and expressions an operator was given, those of its aggregation included."""
    if isinstance(holder, UserFunction):
        yield holder
    elif isinstance(holder, tuple | list):
        for each in cast("tuple[Any, ...]", holder):
            yield from user_functions(each)
    elif isinstance(holder, Struct):
        own = OF_NODE if isinstance(holder, Node) else frozenset[str]()
        for name in holder.__struct_fields__:
            if name not in own:
                held = getattr(holder, name, None)
                if not isinstance(held, Node):
                    yield from user_functions(held)


def _column(node: Node | None, trace: TracebackType | None) -> Column | None:
    """The named aggregate whose code raised: its states' locals, which begin with its name, stand in the line."""
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None or not trace.tb_frame.f_code.co_filename.startswith(GENERATED):
        return None
    line = linecache.getline(trace.tb_frame.f_code.co_filename, trace.tb_lineno)
    aggregation = getattr(node, "aggregation", None)
    columns = aggregation.columns if isinstance(aggregation, NamedAggregation) else ()
    found = [column for column in columns if re.search(rf"\b{column.name}_\d+(_\w+)?\b", line)]
    named = max(found, key=lambda column: len(column.name), default=None)
    # `total` is found in the line of `total_1`, too; a line with several others' locals is no single one's
    return named if named is not None and all(named.name.startswith(column.name) for column in found) else None


def _frames(trace: TracebackType | None) -> tuple[list[CodeType], tuple[str, int] | None]:
    """What the innermost generated line called, and what that called in turn, none if it called no Python; and where
    it was raised."""
    called: list[CodeType] = []
    raised: tuple[str, int] | None = None
    while trace is not None:
        code = trace.tb_frame.f_code
        if code.co_filename.startswith(GENERATED):
            called = []
        else:
            called.append(code)
        raised = code.co_filename, trace.tb_lineno
        trace = trace.tb_next
    return called, raised


def _code(target: Any) -> CodeType | None:
    """The code of a function, bound method or partial; of an object's `__call__`; None of builtins and expressions."""
    if isinstance(target, Expression):
        return None
    if isinstance(target, functools.partial):
        return _code(cast("functools.partial[Any]", target).func)
    code = getattr(target, "__code__", None)
    if code is None and not isinstance(target, type):
        kind: Any = target.__class__
        code = getattr(getattr(kind, "__call__"), "__code__", None)  # noqa: B004, B009 (of the class, not of the object)
    return code if isinstance(code, CodeType) else None
