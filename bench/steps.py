"""The steps of a record's way through a program, told from samples of its stack.

Generated code and floor programs are told apart line by line: a line that decodes says so.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

STEPS = ("consume", "route", "decode", "operators", "encode", "produce", "commit", "the rest")

FRAME = re.compile(r"(?P<function>.+) \((?P<file>[^()]+):(?P<line>\d+)\)$")
LINES = (
    ("decode", re.compile(r"deserialize_|\bdecode\(")),
    ("encode", re.compile(r"serialize_|\bencode\(")),
    ("produce", re.compile(r"\bproduce\w*\(|\bsend\(|producer\.poll|BufferError")),
    ("consume", re.compile(r"\bconsume\(|\bm\.(value|key|timestamp|headers|error|partition)\(|messages\[index\]")),
)
"""What a line of generated code or of a floor program does; the first that fits. Else it is an operator's."""
ELSEWHERE = (
    ("commit", ("_commit_when_due",)),
    ("route", ("Router.", "Task.run (")),
    ("consume", ("_fetch",)),
    ("produce", ("poll (streams/runtime/producer.py", "poll (streams/runtime/transactional_producer.py")),
)
"""What the worker does around the generated code, by a function that is on the stack."""
COMMIT_OF_A_FLOOR = "if time.monotonic() - committed >= 1:"

Sources = Mapping[str, Sequence[str]]
"""Lines of the files whose lines tell, by the file's name as py-spy has it: of generated code what is after the last
slash, else what follows the folder on Python's path."""


def step_of(stack: Sequence[str], sources: Sources) -> str | None:
    """The step that a stack (outermost frame first, as `function (file:line)`) is in; None: not of a record's way."""
    told: str | None = None
    for frame in stack:
        found = FRAME.match(frame)
        lines = sources.get(found["file"]) if found else None
        if found is None or lines is None or found["function"] == "<module>":
            continue
        number = int(found["line"]) - 1
        if number >= next((i for i, line in enumerate(lines) if COMMIT_OF_A_FLOOR in line), len(lines)):
            return "commit"
        told = next((step for step, pattern in LINES if pattern.search(lines[number])), "operators")
    if told is not None:
        return told
    if not any("_turn (" in frame for frame in stack):
        return None
    for step, marks in ELSEWHERE:
        if any(mark in frame for mark in marks for frame in stack):
            return step
    return "the rest"


def counted(collapsed: str, sources: Sources) -> Counter[str]:
    """Samples by step, of py-spy's raw format: a line for each stack, `frame;frame;… count`."""
    found: Counter[str] = Counter()
    for line in collapsed.splitlines():
        stack, _, count = line.rpartition(" ")
        step = step_of(stack.split(";"), sources)
        if step is not None:
            found[step] += int(count)
    return found
