"""The syntax of regular expressions over topic names: RE2's, which has no look-around and no back references.

`parse` gives a tree of the nodes below. Topic names are ASCII without line ends, so that sets of characters are sets of
ASCII characters, a character beyond is in none of them, and the flags m, s and U make no difference.

Source: https://github.com/google/re2/wiki/Syntax
"""

from __future__ import annotations

import string
import unicodedata
from dataclasses import dataclass
from typing import Final, TypeAlias

ASCII: Final = frozenset(chr(code) for code in range(128))
DIGITS: Final = frozenset(string.digits)
SPACES: Final = frozenset("\t\n\f\r ")
WORDS: Final = frozenset(string.ascii_letters + string.digits + "_")
PERL: Final = {"d": DIGITS, "s": SPACES, "w": WORDS}
POSIX: Final = {
    "alnum": frozenset(string.ascii_letters + string.digits),
    "alpha": frozenset(string.ascii_letters),
    "ascii": ASCII,
    "blank": frozenset("\t "),
    "cntrl": frozenset(chr(code) for code in (*range(32), 127)),
    "digit": DIGITS,
    "graph": frozenset(chr(code) for code in range(33, 127)),
    "lower": frozenset(string.ascii_lowercase),
    "print": frozenset(chr(code) for code in range(32, 127)),
    "punct": frozenset(string.punctuation),
    "space": SPACES | {"\v"},
    "upper": frozenset(string.ascii_uppercase),
    "word": WORDS,
    "xdigit": frozenset(string.hexdigits),
}
ESCAPES: Final = {"a": "\a", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
MAX_REPEAT: Final = 1_000
MAX_DEPTH: Final = 100


class PatternError(ValueError):
    """The expression is none of RE2's; the message is fit for the client."""


@dataclass(frozen=True, slots=True)
class Characters:
    """One character out of a set."""

    allowed: frozenset[str]


@dataclass(frozen=True, slots=True)
class Assertion:
    """Nothing, at a place: "start", "end", "boundary" of a word, or "inside" (no boundary)."""

    kind: str


@dataclass(frozen=True, slots=True)
class Sequence:
    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    branches: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    """`most` None: any number of times."""

    part: Node
    least: int
    most: int | None


Node: TypeAlias = Characters | Assertion | Sequence | Choice | Repeat


def parse(text: str) -> Node:
    """Raises PatternError."""
    parser = Parser(text)
    node = parser.choice(0)
    if parser.position < len(text):
        raise PatternError("unexpected ): there is no ( before it")
    return node


class Parser:
    """Recursive descent; `fold` is the flag i, which holds to the end of the group it stands in."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0
        self.fold = False

    # -- reading -----------------------------------------------------------------------------------------------------
    def peek(self, ahead: str) -> bool:
        return self.text.startswith(ahead, self.position)

    def take(self, ahead: str) -> bool:
        found = self.peek(ahead)
        if found:
            self.position += len(ahead)
        return found

    def next(self, what: str) -> str:
        if self.position >= len(self.text):
            raise PatternError(f"missing {what} at the end")
        self.position += 1
        return self.text[self.position - 1]

    def until(self, end: str, what: str) -> str:
        stop = self.text.find(end, self.position)
        if stop < 0:
            raise PatternError(f"missing {end} after {what}")
        found = self.text[self.position : stop]
        self.position = stop + len(end)
        return found

    # -- structure ---------------------------------------------------------------------------------------------------
    def choice(self, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise PatternError(f"groups within groups, more than {MAX_DEPTH} deep")
        branches = [self.sequence(depth)]
        while self.take("|"):
            branches.append(self.sequence(depth))
        return branches[0] if len(branches) == 1 else Choice(tuple(branches))

    def sequence(self, depth: int) -> Node:
        parts: list[Node] = []
        while self.position < len(self.text) and self.text[self.position] not in "|)":
            if self.take("\\Q"):
                stop = self.text.find("\\E", self.position)
                stop = len(self.text) if stop < 0 else stop
                parts += [self.literal(char) for char in self.text[self.position : stop]]
                self.position = min(stop + 2, len(self.text))
                if parts:
                    parts.append(self.repeated(parts.pop()))
            else:
                parts.append(self.repeated(self.item(depth)))
        return Sequence(tuple(parts))

    def repeated(self, node: Node) -> Node:
        bounds = self.repetition()
        if bounds is None:
            return node
        self.take("?")  # to prefer few makes no difference to whether all of a name matches
        start = self.position
        if self.repetition() is not None:
            raise PatternError(f"repetition of a repetition: {self.text[start - 1 : self.position]}")
        return Repeat(node, *bounds)

    def repetition(self) -> tuple[int, int | None] | None:
        """The bounds of a repetition that stands here; a brace that is none is an ordinary character."""
        for sign, bounds in (("*", (0, None)), ("+", (1, None)), ("?", (0, 1))):
            if self.take(sign):
                return bounds
        if not self.peek("{"):
            return None
        inside, closed, _ = self.text[self.position + 1 :].partition("}")
        least, comma, most = inside.partition(",")
        if not closed or not least.isdecimal() or (most and not most.isdecimal()):
            return None
        self.position += len(inside) + 2
        low = int(least)
        high = (int(most) if most else None) if comma else low
        if max(low, high or 0) > MAX_REPEAT or (high is not None and high < low):
            raise PatternError(f"invalid repeat count: {{{inside}}}")
        return low, high

    def item(self, depth: int) -> Node:
        char = self.next("an expression")
        match char:
            case "(":
                return self.group(depth)
            case "[":
                return Characters(self.folded(self.character_class()))
            case ".":
                return Characters(ASCII)
            case "^":
                return Assertion("start")
            case "$":
                return Assertion("end")
            case "\\":
                return self.escape()
            case "*" | "+" | "?":
                raise PatternError(f"nothing to repeat before {char}")
            case _:
                return self.literal(char)

    def group(self, depth: int) -> Node:
        before = self.fold
        if self.take("?"):
            if self.take("P<") or (self.peek("<") and not self.peek("<=") and not self.peek("<!") and self.take("<")):
                name = self.until(">", "the name of a group")
                if not name or not set(name) <= WORDS:
                    raise PatternError(f"invalid name of a group: {name!r}")
            elif not self.flags():
                return Sequence(())  # they hold from here on
        node = self.choice(depth + 1)
        if not self.take(")"):
            raise PatternError("missing ) at the end")
        self.fold = before
        return node

    def flags(self) -> bool:
        """Reads `i-s:` or `i)`; whether a group follows."""
        on = True
        while True:
            char = self.next("flags of a group")
            match char:
                case "i":
                    self.fold = on
                case "m" | "s" | "U":
                    pass
                case "-" if on:
                    on = False
                case ":" | ")":
                    return char == ":"
                case _:
                    raise PatternError(f"(?{char} is not known: RE2 has no look-around")

    # -- characters --------------------------------------------------------------------------------------------------
    def literal(self, char: str) -> Characters:
        return Characters(self.folded(frozenset(char)))

    def folded(self, characters: frozenset[str]) -> frozenset[str]:
        if not self.fold:
            return characters
        return characters | {other for char in characters for other in (char.lower(), char.upper())}

    def escape(self) -> Node:
        char = self.next("a character after \\")
        match char:
            case "A":
                return Assertion("start")
            case "z":
                return Assertion("end")
            case "b":
                return Assertion("boundary")
            case "B":
                return Assertion("inside")
            case _:
                known = self.escaped_set(char)
                return Characters(self.folded(frozenset(self.escaped_character(char)) if known is None else known))

    def escaped_set(self, char: str) -> frozenset[str] | None:
        """\\d and its like, \\pN and \\p{Name}; None for the escape of a single character."""
        if char.lower() in PERL:
            known = PERL[char.lower()]
            return known if char.islower() else ASCII - known
        if char not in "pP":
            return None
        name = self.until("}", "\\p{") if self.take("{") else self.next("a class after \\p")
        negated = (char == "P") != name.startswith("^")
        name = name.removeprefix("^")
        if name in ("Any", "Latin"):
            known = ASCII if name == "Any" else POSIX["alpha"]
        elif name[:1] in tuple("CLMNPSZ") and len(name) <= 2:
            known = frozenset(char for char in ASCII if unicodedata.category(char).startswith(name))
        else:
            raise PatternError(f"invalid character class range: \\p{{{name}}}")
        return ASCII - known if negated else known

    def escaped_character(self, char: str) -> str:
        if char in ESCAPES:
            return ESCAPES[char]
        if char == "x":
            digits = self.until("}", "\\x{") if self.take("{") else self.next("a digit") + self.next("a digit")
            if not digits or not set(digits) <= POSIX["xdigit"] or int(digits, 16) > 0x10FFFF:
                raise PatternError(f"invalid escape sequence: \\x{digits}")
            return chr(int(digits, 16))
        if char == "0" or (char in "1234567" and self.text[self.position : self.position + 1] in tuple("01234567")):
            digits = char
            while len(digits) < 3 and self.text[self.position : self.position + 1] in tuple("01234567"):
                digits += self.next("a digit")
            return chr(int(digits, 8))
        if char in WORDS or char not in ASCII:
            raise PatternError(f"invalid escape sequence: \\{char}")
        return char

    def character_class(self) -> frozenset[str]:
        """What stands between brackets."""
        negated = self.take("^")
        found: set[str] = set()
        first = True
        while first or not self.take("]"):
            first = False
            if self.take("[:"):
                name = self.until(":]", "[:")
                known = POSIX.get(name.removeprefix("^"))
                if known is None:
                    raise PatternError(f"invalid character class range: [:{name}:]")
                found |= ASCII - known if name.startswith("^") else known
                continue
            low = self.class_member()
            if len(low) != 1 or not self.peek("-") or self.peek("-]"):
                found |= low
                continue
            self.take("-")
            high = self.class_member()
            (start,) = low
            end = next(iter(high)) if len(high) == 1 else ""
            if end < start:
                raise PatternError(f"invalid character class range: {start}-{end}")
            found |= {char for char in ASCII if start <= char <= end}
        characters = self.folded(frozenset(found))
        return ASCII - characters if negated else characters

    def class_member(self) -> frozenset[str]:
        char = self.next("] of a character class")
        if char != "\\":
            return frozenset(char)
        char = self.next("a character after \\")
        known = self.escaped_set(char)
        return frozenset(self.escaped_character(char)) if known is None else known
