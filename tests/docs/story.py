"""A tutorial as what its reader does: files that are saved, commands that are typed, and what is seen then.

Blocks in the order of the chapters:

    ```python title="app.py"          the whole file, saved
    <!-- in place of: app = .* -->    before such a block: its lines come in place of the one that the expression fits
    ```console title="Terminal 1"     `$ ` and a command, with its output below; `^C` ends what runs there
    ```console title="Terminal 1"     without a command: what comes meanwhile from what runs there

In outputs `…` stands for anything within a line, and alone on a line for any lines.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.docs.markdown import BLOCK


@dataclass(frozen=True, slots=True)
class Saved:
    """A file that the reader writes, or the lines of it that `replaces` fits, an expression for whole lines."""

    name: str
    text: str
    replaces: str | None
    place: str


@dataclass(frozen=True, slots=True)
class Typed:
    """A command in a terminal, and what is seen there. Without a command: what is seen later of the one that runs."""

    terminal: str
    command: str | None
    output: tuple[str, ...]
    place: str

    @property
    def interrupts(self) -> bool:
        return self.command == "^C"


Step = Saved | Typed


def steps(pages: Sequence[Path]) -> Iterator[Step]:
    """What the reader does, from the first page to the last."""
    for page in pages:
        text = page.read_text()
        for block in BLOCK.finditer(text):
            place = f"{page.name}:{text[: block.start()].count(chr(10)) + 1}"
            if block["language"] == "console":
                yield from typed(block["title"] or "Terminal 2", block["text"], place)
            elif block["title"]:
                yield Saved(block["title"], block["text"], block["replaces"], place)


def typed(terminal: str, text: str, place: str) -> Iterator[Typed]:
    command: str | None = None
    output: list[str] = []
    begun = False
    for line in text.splitlines():
        if line.startswith("$ ") or line == "^C":
            if begun:
                yield Typed(terminal, command, tuple(output), place)
            command, output = line.removeprefix("$ "), []
        else:
            output.append(line)
        begun = True
    yield Typed(terminal, command, tuple(output), place)


# What differs from one run to the next: ports, times of day, durations, moments of now (those with milliseconds, and
# those that tables of rows have), ids.
VARIES = re.compile(
    "|".join(
        (
            r"…",
            r"127\.0\.0\.1:\d+",
            r"(?<!T)(?<!\d )\b\d\d:\d\d:\d\d\b(?!Z)",
            r"\b\d+\.\d+ ?s\b",
            r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z",
            r"\b\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\b",
            r"\b1[78]\d{11}\b",
            r"-[0-9a-f]{8}-\d",
            r"\bworker-\d+",
            r"\bpid \d+",
        )
    )
)


def pattern(line: str) -> str:
    """A regular expression for a line that is shown."""
    parts = VARIES.split(line)
    found = [*VARIES.findall(line), ""]
    made = ""
    for part, varies in zip(parts, found):
        made += r"\s+".join(re.escape(word) for word in re.split(r"\s+", part)) if part else ""
        made += ".*" if varies == "…" else like(varies)
    return made.rstrip()


def like(text: str) -> str:
    """Something of this kind: digits for digits, letters as they are; hexadecimal where it is an id."""
    if re.fullmatch(r"-[0-9a-f]{8}-\d", text):
        return r"-[0-9a-f]{8}-\d"
    if "T" in text and text.endswith("Z"):
        return r"[-\d]+T[:.\d]+Z"
    return re.sub(r"\d+", lambda _: r"\d+", re.escape(text))


def matches(shown: Sequence[str], seen: Sequence[str]) -> bool:
    """Whether the output is what is shown, line by line; blank lines at the end do not count."""
    wanted = "".join(r"(?:.*\n)*" if line.strip() == "…" else pattern(line) + r"\s*\n" for line in shown)
    text = "\n".join(line.rstrip() for line in seen).strip("\n")
    return re.fullmatch(wanted, text + "\n" if text else "") is not None


def place_of(shown: Sequence[str], seen: Sequence[str]) -> int | None:
    """How many lines of a running program's output there are up to the last of those that are shown, if all of them
    have come, in their order, other lines between them or not."""
    at = 0
    for line in shown:
        wanted = re.compile(pattern(line) + r"\s*")
        while at < len(seen) and not wanted.fullmatch(seen[at].rstrip()):
            at += 1
        if at == len(seen):
            return None
        at += 1
    return at
