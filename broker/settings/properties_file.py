"""Java's properties files: `name=value`, `name: value` or `name value`, # and ! for comments, \\ to go on.

Source: `java.util.Properties.load`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

ASSIGNMENT = re.compile(r"((?:[^\\=:\s]|\\.)+)\s*[=:\s]\s*(.*)|((?:[^\\=:\s]|\\.)+)$", re.DOTALL)
ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
ESCAPED = {"t": "\t", "n": "\n", "r": "\r", "f": "\f"}


def read_properties(text: str) -> Iterator[tuple[int, str, str]]:
    """(line, name, value) of each property in order."""
    begun, logical = 0, ""
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.lstrip()
        if not logical:
            if not stripped or stripped[0] in "#!":
                continue
            begun = number
        logical += stripped
        backslashes = len(logical) - len(logical.rstrip("\\"))
        if backslashes % 2:
            logical = logical[:-1]
            continue
        yield begun, *assignment(logical)
        logical = ""
    if logical:
        yield begun, *assignment(logical)


def assignment(line: str) -> tuple[str, str]:
    found = ASSIGNMENT.match(line)
    if found is None:
        return line, ""
    return unescaped(found[1] or found[3]), unescaped(found[2] or "").rstrip()


def unescaped(text: str) -> str:
    def character(escape: re.Match[str]) -> str:
        code = escape[1]
        return chr(int(code[1:], 16)) if len(code) == 5 else ESCAPED.get(code, code)

    return ESCAPE.sub(character, text)
