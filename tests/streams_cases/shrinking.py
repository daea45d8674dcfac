"""Makes a case smaller as long as it still shows what it was made for."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tests.streams_cases.case import Case, Op, redirected, references, topics

OPTIONS = ("store", "grace", "emit")
"""Parameters an op may do without, most of the time."""
ATTEMPTS = 300


def shrunk(case: Case, shows: Callable[[Case], bool], attempts: int = ATTEMPTS) -> Case:
    """The smallest case found for which `shows` holds, asked so many times at most. Never asks for the case itself."""
    smaller = True
    while smaller:
        smaller = False
        for shorter in (_fewer_inputs, _fewer_ops, _fewer_options, _plainer):
            candidates = shorter(case)
            while (candidate := next(candidates, None)) is not None:
                if attempts == 0:
                    return case
                attempts -= 1
                if shows(candidate):
                    case, smaller = candidate, True
                    candidates = shorter(case)
    return case


def _fewer_inputs(case: Case) -> Iterator[Case]:
    """Without those of topics that nobody reads, without a half, a quarter and so on."""
    inputs, read = case["inputs"], topics(case)
    unread = [step for step in inputs if "topic" in step and step["topic"] not in read]
    if unread:
        yield {**case, "inputs": [step for step in inputs if step not in unread]}
    size = (len(inputs) + 1) // 2
    while size >= 1:
        for start in range(0, len(inputs), size):
            yield {**case, "inputs": inputs[:start] + inputs[start + size :]}
        size = size // 2


def _fewer_ops(case: Case) -> Iterator[Case]:
    """Without a sink, or with an op's input in place of the op; and without all that leads to no sink then."""
    ops: list[Op] = case["topology"]
    for number in reversed(range(len(ops))):
        op, others = ops[number], ops[:number] + ops[number + 1 :]
        if op["op"] == "to":
            yield _pruned(case, others)
            continue
        for instead in dict.fromkeys(references(op)):
            yield _pruned(case, [redirected(other, _in_place(op["id"], instead)) for other in others])


def _in_place(removed: str, instead: str) -> Callable[[str], str]:
    """Of a split all branches go."""
    return lambda identity: instead if identity.split(".")[0] == removed else identity


def _pruned(case: Case, ops: list[Op]) -> Case:
    needed: set[str] = set()
    kept: list[Op] = []
    for op in reversed(ops):
        if op["op"] == "to" or op["id"] in needed:
            kept.append(op)
            needed.update(identity.split(".")[0] for identity in references(op))
    return {**case, "topology": kept[::-1]}


def _fewer_options(case: Case) -> Iterator[Case]:
    ops: list[Op] = case["topology"]
    for number, op in enumerate(ops):
        for option in OPTIONS:
            if option in op:
                left = {name: value for name, value in op.items() if name != option}
                yield {**case, "topology": [*ops[:number], left, *ops[number + 1 :]]}


def _plainer(case: Case) -> Iterator[Case]:
    if "config" in case:
        yield {name: value for name, value in case.items() if name != "config"}
