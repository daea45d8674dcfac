"""The type of a function's result, proved on its bytecode.

Straight-line code only: one jump, handler, `yield` or unknown instruction and nothing is claimed. Such code is a
sequence of stack operations, so it can be run on types in place of values:

    lambda flight, airport: Delay(airport.state, flight.delay)

    LOAD_GLOBAL  Delay       Delay
    LOAD_FAST    airport     Delay  Airport
    LOAD_ATTR    state       Delay  str
    LOAD_FAST    flight      Delay  str  Flight
    LOAD_ATTR    delay       Delay  str  int
    CALL         2           an instance of Delay

Written for Python 3.11 to 3.14. Each instruction's effect on the depth is compared with `dis.stack_effect`, so that a
Python whose instructions work otherwise makes the result `Unknown`, never wrong.
"""

from __future__ import annotations

import dis
import inspect
import types
from collections.abc import Sequence
from typing import Any

from streams.serde.instructions import HANDLERS, NO_EFFECT
from streams.serde.type_stack import Call, Entry, TypeStack, constant
from streams.serde.unknown import Unknown

NO_PROOF = inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR


class NotProvenError(Exception):
    """An instruction that the interpretation does not follow."""


def result_of_code(function: types.FunctionType, arguments: Sequence[Any], call: Call) -> Any:
    """The type `function` returns when called with `arguments`, or `Unknown`.

    Args:
        call: gives the type that calling an object found in the code has, from the types of its positional arguments.
    """
    code = function.__code__
    if code.co_flags & NO_PROOF or code.co_exceptiontable:
        return Unknown
    names = code.co_varnames[: code.co_argcount]
    stack = TypeStack(function, dict(zip(names, (Entry(kind) for kind in arguments))), call)
    try:
        for instruction in dis.get_instructions(code):
            if instruction.opname == "RETURN_VALUE":
                return stack.pop(1)[0].type
            if instruction.opname == "RETURN_CONST":
                return constant(instruction.argval).type
            step(stack, instruction)
    except (NotProvenError, IndexError):
        return Unknown
    return Unknown


def step(stack: TypeStack, instruction: dis.Instruction) -> None:
    """Does one instruction."""
    name = instruction.opname
    if name in NO_EFFECT:
        return
    handler = HANDLERS.get(name)
    if handler is None:
        raise NotProvenError(name)
    before = len(stack.entries)
    handler(stack, instruction)
    if name == "CALL":  # whose effect Python 3.11 splits with PRECALL
        return
    if len(stack.entries) - before != dis.stack_effect(instruction.opcode, instruction.arg):
        raise NotProvenError(name)
