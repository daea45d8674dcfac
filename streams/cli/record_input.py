"""Lines become records: what `headrace produce` reads."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import msgspec

from streams.cli.failures import CommandFailed, UsageFailed
from streams.cli.terminal import talk
from streams.cluster.new_record import NewRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class LineFormat:
    """How a line is to be read. `separator`: between key and value; `null`: a value that stands for null."""

    key_type: str = "str"
    key: str | None = None
    separator: str | None = None
    null: str | None = None
    timestamp: int | None = None
    headers: tuple[tuple[str, bytes | None], ...] = ()
    partition: int | None = None

    def record(self, line: str, number: int) -> NewRecord:
        """Raises CommandFailed for a line without the separator."""
        key, value = self.key, line
        if self.separator is not None:
            key, found, value = line.partition(self.separator)
            if not found:
                raise CommandFailed(f"line {number} has no {self.separator!r} between key and value: {line[:80]!r}")
        return NewRecord(
            key=key_bytes(key, self.key_type),
            value=None if value == self.null else value.encode(),
            timestamp=self.timestamp,
            headers=self.headers,
            partition=self.partition,
        )

    def json_record(self, line: str, number: int) -> NewRecord:
        """From an object such as `headrace consume --json` prints; its topic and offset count for nothing.

        Raises CommandFailed for a line that is no such object.
        """
        try:
            body: Any = msgspec.json.decode(line)
            if not isinstance(body, dict):
                raise TypeError("it is no object")
            fields = cast("dict[str, Any]", body)
            key, time = fields.get("key", self.key), fields.get("timestamp", self.timestamp)
            return NewRecord(
                key=key_bytes(key, self.key_type) if isinstance(key, str | None) else data_of(key, self.key_type),
                value=data_of(fields.get("value"), "str"),
                timestamp=None if time is None else int(time),
                headers=tuple((str(name), data_of(data, "str")) for name, data in fields.get("headers", self.headers)),
                partition=self.partition,
            )
        except (msgspec.DecodeError, TypeError, ValueError) as error:
            raise CommandFailed(f"line {number} is no record in JSON ({error}): {line[:80]!r}") from error


def records_of(lines: Iterable[str], form: LineFormat, *, as_json: bool) -> Iterator[NewRecord]:
    """Raises CommandFailed at the first line that is none."""
    for number, line in enumerate(lines, 1):
        yield form.json_record(line, number) if as_json else form.record(line, number)


def lines_of(path: Path | None) -> Iterator[str]:
    """The lines of a file, or of stdin, that are not empty."""
    if path is not None:
        with path.open() as file:
            yield from filled(file)
        return
    if sys.stdin.isatty():
        talk("one record a line; Ctrl-D ends")
    yield from filled(sys.stdin)


def filled(lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        text = line.rstrip("\r\n")
        if text:
            yield text


def data_of(part: Any, kind: str) -> bytes | None:
    """A key, value or header in JSON: null, text, a number as eight bytes if the kind says so, else JSON itself."""
    if part is None or isinstance(part, bytes):
        return part
    if isinstance(part, int) and kind == "int":
        return key_bytes(str(part), "int")
    return part.encode() if isinstance(part, str) else msgspec.json.encode(part)


def key_bytes(key: str | None, key_type: str) -> bytes | None:
    """Raises UsageFailed for an integer that is none."""
    if key is None:
        return None
    if key_type == "str":
        return key.encode()
    try:
        return int(key).to_bytes(8, "big", signed=True)
    except (ValueError, OverflowError):
        raise UsageFailed(f"key {key!r} is not a 64-bit integer") from None


def header(text: str) -> tuple[str, bytes | None]:
    """Of NAME=VALUE. Raises UsageFailed."""
    name, found, value = text.partition("=")
    if not found or not name:
        raise UsageFailed(f"header {text!r} is not NAME=VALUE")
    return name, value.encode()
