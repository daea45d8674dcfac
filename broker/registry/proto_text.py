"""The text of .proto files, as far as messages, enums and fields go."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from broker.registry.protobuf import ProtoField, ProtoFile

TOKEN = re.compile(
    r"""\s+|//[^\n]*|/\*.*?\*/|(?P<string>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')|"""
    r"""(?P<word>\.?[A-Za-z_][\w.]*)|(?P<number>[-+]?[\d.][\w.]*)|(?P<mark>[{}()\[\]<>=;,:+-])""",
    re.DOTALL,
)
SCALARS = frozenset(
    ("double", "float", "int32", "int64", "uint32", "uint64", "sint32", "sint64", "fixed32", "fixed64", "sfixed32",
     "sfixed64", "bool", "string", "bytes")
)  # fmt: skip
OPENING = {"{": "}", "[": "]"}


def parse_proto_text(text: str) -> ProtoFile:
    """The file of a text. Raises ValueError."""
    from broker.registry.protobuf import ProtoFile

    parser = _Parser(list(_tokens(text)), ProtoFile())
    parser.file_body()
    return parser.resolved()


def _tokens(text: str) -> Iterator[str]:
    position = 0
    while position < len(text):
        match = TOKEN.match(text, position)
        if match is None:
            raise ValueError(f"unexpected {text[position]!r} in line {text.count(chr(10), 0, position) + 1}")
        position = match.end()
        if match.lastgroup is not None:
            yield match.group()


@dataclass(slots=True)
class _Parser:
    tokens: list[str]
    file: ProtoFile
    position: int = 0
    enums: set[str] = field(default_factory=set[str])

    def file_body(self) -> None:
        while self.position < len(self.tokens):
            word = self.take()
            if word == "package":
                self.file.package = self.take()
                self.expect(";")
            elif word == "message":
                self.message("")
            elif word == "enum":
                self.enum("")
            elif word in ("syntax", "edition", "import", "option") or word in ("service", "extend"):
                self.skip_statement()
            elif word != ";":
                raise ValueError(f"unexpected {word!r}: no statement of a .proto file begins so")

    def message(self, outside: str) -> None:
        name = self.full_name(outside)
        fields: dict[int, ProtoField] = {}
        self.file.messages[name] = fields
        self.expect("{")
        self.message_body(name, fields, "")

    def message_body(self, name: str, fields: dict[int, ProtoField], group: str) -> None:
        """Up to the closing brace; `group`: of the oneof it is in."""
        while (word := self.take()) != "}":
            if word == "message":
                self.message(name)
            elif word == "enum":
                self.enum(name)
            elif word == "oneof":
                inner = self.take()
                self.expect("{")
                self.message_body(name, fields, inner)
            elif word in ("option", "reserved", "extensions", "extend"):
                self.skip_statement()
            elif word != ";":
                self.field(name, word, fields, group)

    def field(self, message: str, word: str, fields: dict[int, ProtoField], group: str) -> None:
        from broker.registry.protobuf import ProtoField

        label = "optional"
        if word in ("optional", "required", "repeated"):
            label, word = word, self.take()
        if word == "group":
            raise ValueError("groups are not supported: use a message")
        kind, entry = word, dict[int, ProtoField]()
        if word == "map" and self.tokens[self.position] == "<":
            self.expect("<")
            key = self.take()
            self.expect(",")
            entry = {1: ProtoField("key", key), 2: ProtoField("value", self.take())}
            self.expect(">")
            kind, label = "", "repeated"
        name = self.take()
        if not kind:  # a map is a list of entries, as the compiler has it
            entry_name = "".join(part[:1].upper() + part[1:] for part in name.split("_")) + "Entry"
            self.file.messages[f"{message}.{entry_name}"] = entry
            kind = entry_name
        self.expect("=")
        try:
            number = int(self.take(), 0)
        except ValueError as error:
            raise ValueError(f"field {name!r} has no number") from error
        if number in fields:
            raise ValueError(f"field number {number} is used twice, by {fields[number].name!r} and {name!r}")
        fields[number] = ProtoField(name, kind, label, group)
        self.skip_statement()

    def enum(self, outside: str) -> None:
        self.enums.add(self.full_name(outside))
        self.expect("{")
        self.position -= 1
        self.skip_statement()

    def full_name(self, outside: str) -> str:
        name = self.take()
        return f"{outside}.{name}" if outside else name

    def resolved(self) -> ProtoFile:
        """The file with full names of messages as types, and "enum" for enums."""
        for message, fields in self.file.messages.items():
            for number, one in fields.items():
                fields[number] = replace(one, type=self.type_name(one.type, message))
        return self.file

    def type_name(self, name: str, message: str) -> str:
        if name in SCALARS:
            return name
        scope = message.split(".")
        prefix = f".{self.file.package}." if self.file.package else "."
        local = name.removeprefix(prefix) if name.startswith(".") else name.removeprefix(prefix[1:])
        for depth in range(len(scope), -1, -1):
            full = ".".join((*scope[:depth], local))
            if full in self.enums:
                return "enum"
            if full in self.file.messages:
                return f"{prefix}{full}"
        return name if name.startswith(".") else f".{name}"  # of another file

    def take(self) -> str:
        if self.position >= len(self.tokens):
            raise ValueError("the file ends within a statement")
        self.position += 1
        return self.tokens[self.position - 1]

    def expect(self, token: str) -> None:
        found = self.take()
        if found != token:
            raise ValueError(f"expected {token!r}, found {found!r}")

    def skip_statement(self) -> None:
        """To behind the next `;`, or behind a block in braces."""
        closing: list[str] = []
        while True:
            token = self.take()
            if token in OPENING:
                closing.append(OPENING[token])
            elif closing and token == closing[-1]:
                closing.pop()
                if not closing and token == "}":
                    return
            elif token == ";" and not closing:
                return
