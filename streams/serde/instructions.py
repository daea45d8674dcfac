"""What each instruction of straight-line code does to a stack of types, for Python 3.11 to 3.14."""

from __future__ import annotations

import dis
import sys
from collections.abc import Callable, Mapping
from typing import Any, cast

from streams.serde.arithmetic import arithmetic_type
from streams.serde.reflection import item_type
from streams.serde.type_stack import (
    ANYTHING,
    NOTHING,
    NULL,
    PLACEHOLDER,
    Entry,
    Method,
    TypeStack,
    attribute,
    named,
    tuple_of,
)
from streams.serde.unknown import Unknown

Handler = Callable[[TypeStack, dis.Instruction], None]


def load_fast(stack: TypeStack, instruction: dis.Instruction) -> None:
    for name in variables(instruction):
        stack.push(stack.locals.get(name, ANYTHING))


def store_fast(stack: TypeStack, instruction: dis.Instruction) -> None:
    for name in variables(instruction):
        (stack.locals[name],) = stack.pop(1)


def store_fast_load_fast(stack: TypeStack, instruction: dis.Instruction) -> None:
    stored, loaded = variables(instruction)
    (stack.locals[stored],) = stack.pop(1)
    stack.push(stack.locals.get(loaded, ANYTHING))


def variables(instruction: dis.Instruction) -> tuple[str, ...]:
    """The local variables an instruction names: one, or two from Python 3.13."""
    named: Any = instruction.argval
    return cast(tuple[str, ...], named) if isinstance(named, tuple) else (named,)


def load_const(stack: TypeStack, instruction: dis.Instruction) -> None:
    stack.push(named(instruction.argval))


def load_global(stack: TypeStack, instruction: dis.Instruction) -> None:
    entry = stack.global_named(instruction.argval)
    if (instruction.arg or 0) & 1:
        stack.push_callable(entry)
    else:
        stack.push(entry)


def load_deref(stack: TypeStack, instruction: dis.Instruction) -> None:
    stack.push(stack.captured(instruction.argval))


def push_null(stack: TypeStack, instruction: dis.Instruction) -> None:
    stack.push(NULL)


def load_attr(stack: TypeStack, instruction: dis.Instruction) -> None:
    (owner,) = stack.pop(1)
    entry = attribute(owner, instruction.argval)
    if sys.version_info >= (3, 12) and (instruction.arg or 0) & 1:
        stack.push_callable(entry)
    else:
        stack.push(entry)


def load_method(stack: TypeStack, instruction: dis.Instruction) -> None:
    (owner,) = stack.pop(1)
    stack.push_callable(attribute(owner, instruction.argval))


def kw_names(stack: TypeStack, instruction: dis.Instruction) -> None:
    names = stack.function.__code__.co_consts[instruction.arg or 0]
    stack.keywords = len(names)


def call(stack: TypeStack, instruction: dis.Instruction) -> None:
    stack.pop(stack.keywords)
    arguments = stack.pop((instruction.arg or 0) - stack.keywords)
    stack.keywords = 0
    finish_call(stack, stack.pop(2), arguments)


def call_kw(stack: TypeStack, instruction: dis.Instruction) -> None:
    (names,) = stack.pop(1)
    count = instruction.arg or 0
    keywords = count if names.object is NOTHING else len(names.object)
    stack.pop(keywords)
    arguments = stack.pop(count - keywords)
    finish_call(stack, stack.pop(2), arguments)


def call_function_ex(stack: TypeStack, instruction: dis.Instruction) -> None:
    effect = dis.stack_effect(instruction.opcode, instruction.arg)
    taken = stack.pop(1 - effect)
    finish_call(stack, taken[:2], [])


def finish_call(stack: TypeStack, callee: list[Entry], arguments: list[Entry]) -> None:
    stack.may_change_contents()
    given = [entry.type for entry in arguments]
    named_ones = [entry.object for entry in callee if entry.object is not NOTHING and entry.object is not PLACEHOLDER]
    if not named_ones:
        stack.push(ANYTHING)
    elif isinstance(named_ones[0], Method):
        stack.push(Entry(stack.call(named_ones[0].function, [named_ones[0].owner, *given])))
    else:
        stack.push(Entry(stack.call(named_ones[0], given)))


def binary_op(stack: TypeStack, instruction: dis.Instruction) -> None:
    left, right = stack.pop(2)
    if instruction.argrepr == "[]":  # Python 3.14
        stack.push(subscript(left, right))
    else:
        stack.push(Entry(arithmetic_type(instruction.argrepr.rstrip("="), left.type, right.type)))


def binary_subscr(stack: TypeStack, instruction: dis.Instruction) -> None:
    left, right = stack.pop(2)
    stack.push(subscript(left, right))


def subscript(owner: Entry, index: Entry) -> Entry:
    if owner.type is Unknown or type(index.object) not in (int, str):
        return ANYTHING
    return Entry(item_type(owner.type, index.object))


def pops(count: int, gives: Any = Unknown) -> Handler:
    """An instruction that replaces `count` entries by one of a fixed type."""

    def handler(stack: TypeStack, instruction: dis.Instruction) -> None:
        stack.pop(count)
        stack.push(Entry(gives))

    return handler


def builds(gives: Any, each: int = 1, more: int = 0) -> Handler:
    """An instruction that makes one object of its argument's number of entries."""

    def handler(stack: TypeStack, instruction: dis.Instruction) -> None:
        stack.pop((instruction.arg or 0) * each + more)
        stack.push(Entry(gives))

    return handler


def build_tuple(stack: TypeStack, instruction: dis.Instruction) -> None:
    stack.push(Entry(tuple_of(stack.pop(instruction.arg or 0))))


def format_value(stack: TypeStack, instruction: dis.Instruction) -> None:
    stack.pop(2 if (instruction.arg or 0) & 4 else 1)
    stack.push(Entry(str))


def discards(count: int) -> Handler:
    """An instruction that only takes entries: it adds to a container below them, or drops them."""

    def handler(stack: TypeStack, instruction: dis.Instruction) -> None:
        stack.pop(count)

    return handler


def store_item(stack: TypeStack, instruction: dis.Instruction) -> None:
    stack.pop(3)
    stack.may_change_contents()


def copy(stack: TypeStack, instruction: dis.Instruction) -> None:
    stack.push(stack.entries[-(instruction.arg or 1)])


def swap(stack: TypeStack, instruction: dis.Instruction) -> None:
    other = -(instruction.arg or 1)
    stack.entries[-1], stack.entries[other] = stack.entries[other], stack.entries[-1]


def make_function(stack: TypeStack, instruction: dis.Instruction) -> None:
    stack.pop(1 - dis.stack_effect(instruction.opcode, instruction.arg))
    stack.push(ANYTHING)


NO_EFFECT = frozenset({"RESUME", "NOP", "CACHE", "PRECALL", "COPY_FREE_VARS", "MAKE_CELL", "NOT_TAKEN"})

HANDLERS: Mapping[str, Handler] = {
    "LOAD_FAST": load_fast,
    "LOAD_FAST_CHECK": load_fast,
    "LOAD_FAST_BORROW": load_fast,
    "LOAD_FAST_LOAD_FAST": load_fast,
    "LOAD_FAST_BORROW_LOAD_FAST_BORROW": load_fast,
    "STORE_FAST": store_fast,
    "STORE_FAST_STORE_FAST": store_fast,
    "STORE_FAST_LOAD_FAST": store_fast_load_fast,
    "LOAD_CONST": load_const,
    "LOAD_SMALL_INT": load_const,
    "LOAD_GLOBAL": load_global,
    "LOAD_DEREF": load_deref,
    "LOAD_CLOSURE": pops(0),
    "PUSH_NULL": push_null,
    "LOAD_ATTR": load_attr,
    "LOAD_METHOD": load_method,
    "KW_NAMES": kw_names,
    "CALL": call,
    "CALL_KW": call_kw,
    "CALL_FUNCTION_EX": call_function_ex,
    "BINARY_OP": binary_op,
    "BINARY_SUBSCR": binary_subscr,
    "BINARY_SLICE": pops(3),
    "BUILD_SLICE": builds(Unknown),
    "COMPARE_OP": pops(2),
    "IS_OP": pops(2, bool),
    "CONTAINS_OP": pops(2, bool),
    "UNARY_NOT": pops(1, bool),
    "TO_BOOL": pops(1, bool),
    "UNARY_NEGATIVE": pops(1),
    "UNARY_POSITIVE": pops(1),
    "UNARY_INVERT": pops(1),
    "CALL_INTRINSIC_1": pops(1),
    "FORMAT_VALUE": format_value,
    "FORMAT_SIMPLE": pops(1, str),
    "FORMAT_WITH_SPEC": pops(2, str),
    "CONVERT_VALUE": pops(1, str),
    "BUILD_STRING": builds(str),
    "BUILD_LIST": builds(list),
    "BUILD_SET": builds(set),
    "BUILD_TUPLE": build_tuple,
    "BUILD_MAP": builds(dict, each=2),
    "BUILD_CONST_KEY_MAP": builds(dict, more=1),
    "LIST_APPEND": discards(1),
    "LIST_EXTEND": discards(1),
    "SET_ADD": discards(1),
    "SET_UPDATE": discards(1),
    "DICT_MERGE": discards(1),
    "DICT_UPDATE": discards(1),
    "POP_TOP": discards(1),
    "STORE_ATTR": discards(2),
    "STORE_SUBSCR": store_item,
    "COPY": copy,
    "SWAP": swap,
    "MAKE_FUNCTION": make_function,
    "SET_FUNCTION_ATTRIBUTE": discards(1),
}
