"""The random cases: a family and a seed always give the same one."""

from __future__ import annotations

from typing import Any

from tests.streams_cases.case import Case
from tests.streams_cases.choices import Choices
from tests.streams_cases.composed import Pipelines
from tests.streams_cases.families import FAMILIES
from tests.streams_cases.operators import Handle, Operators
from tests.streams_cases.store_commands import KINDS, StoreCommands

COMPOSED, STORES = "composed", "stores"
NAMES = (COMPOSED, STORES, *FAMILIES)
CACHE_BYTES = 10_000_000
"""So much that nothing comes out before a commit."""


def generated(family: str, seed: int) -> Case:
    choices = Choices(f"{family}-{seed}")
    config = _config(choices)
    operators = Operators(choices, cached="cache_bytes" in config)
    if family == COMPOSED:
        Pipelines(operators).declare()
        inputs = choices.inputs(operators.topics, choices.number(15, 60))
    elif family == STORES:
        inputs = _scripted(operators, choices.number(30, 120))
    else:
        FAMILIES[family](operators)
        inputs = choices.inputs(operators.topics, choices.number(30, 120))
        if family == "process":
            _let_time_pass(inputs, choices)
    case = {"name": f"{family}/{seed}", "family": family, "doc": "", "topology": operators.ops, "inputs": inputs}
    return {**case, "config": config} if config else case


def _config(choices: Choices) -> dict[str, Any]:
    return choices.one(*[{}] * 14, *[{"cache_bytes": CACHE_BYTES}] * 4, *[{"optimization": "all"}] * 2)


def _scripted(operators: Operators, count: int) -> list[dict[str, Any]]:
    kind, stream = operators.choices.one(*KINDS), operators.stream("in")
    parameters = {"processor": "store_script", "store": "scripted", "store_type": kind}
    operators.to(Handle(operators.declare("process", of=stream.id, **parameters), "stream"))
    return StoreCommands(operators.choices, kind).inputs("in", count)


def _let_time_pass(inputs: list[dict[str, Any]], choices: Choices) -> None:
    for _ in range(choices.number(0, 6)):
        step = {"advance_wall_clock": choices.one(1, 5, 10, 25, 60)}
        inputs.insert(choices.number(0, len(inputs)), step)
