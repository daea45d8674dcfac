"""A record of any topic as a page shows it: by the application's serdes where it knows the topic, else as it looks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import msgspec
from confluent_kafka import Message
from msgspec import Struct

from streams.cluster.text import iso_time, text_or_hex
from streams.dashboard.known_topics import KnownTopic
from streams.query.changes import row_of
from streams.query.keys import jsonable
from streams.runtime.watermark import WATERMARK_HEADER
from streams.serde import Serde
from streams.windowed import Windowed

LONGEST_TEXT = 2_000
"""Characters of a key, value or header in a list; the record by itself has all of them. What is cut is told:
of keys and values by how much, of headers how many."""


JSON_FORMS = frozenset({"json", "pydantic", "faust"})
"""Of serdes whose bytes are JSON and nothing else."""


class Part(Struct, frozen=True):
    """A key or a value. `form` says what it is taken for: "null", "json", "text", "hex", "watermark", or the name of a
    serde; `wrong` why it is not what its topic says. `decoded` is what filters look at."""

    form: str
    text: str
    decoded: Any
    wrong: str | None = None

    def body(self, longest: int | None) -> dict[str, Any]:
        text = self.text
        body: dict[str, Any] = {"form": self.form, "text": text if longest is None else text[:longest]}
        if longest is not None and len(text) > longest:
            body["cut"] = len(text) - longest
        if self.wrong is not None:
            body["wrong"] = self.wrong
        return body


NULL = Part("null", "null", None)


class SeenRecord(Struct, frozen=True, kw_only=True):
    """`size` in bytes, of key and value. `timestamp` in ms since the epoch."""

    partition: int
    offset: int
    timestamp: int
    key: Part
    value: Part
    headers: tuple[tuple[str, bytes | None], ...]
    size: int

    def contains(self, text: str) -> bool:
        """Whether key, value or a header has the text in it, in whatever case; `text` is in lower case."""
        return (
            text in self.value.text.lower()
            or text in self.key.text.lower()
            or any(text in f"{name}={header_text(value)}".lower() for name, value in self.headers)
        )

    def body(self, *, whole: bool = False) -> dict[str, Any]:
        """As JSON; `whole`: however long it is."""
        longest = None if whole else LONGEST_TEXT
        headers = [(name, None if value is None else header_text(value)) for name, value in self.headers]
        body = {
            "partition": self.partition,
            "offset": self.offset,
            "timestamp": self.timestamp,
            "key": self.key.body(longest),
            "value": self.value.body(longest),
            "headers": [(name, None if text is None else text[:longest]) for name, text in headers],
            "size": self.size,
        }
        cut = 0 if longest is None else sum(text is not None and len(text) > longest for _, text in headers)
        return body | {"headers_cut": cut} if cut else body


class RecordView:
    """Of one topic. May be used by any thread."""

    def __init__(self, known: KnownTopic | None) -> None:
        self._known = known
        self._key = reader(None if known is None else known.key)
        self._value = reader(None if known is None else known.value)

    def seen(self, message: Message) -> SeenRecord:
        key, value = as_bytes(message.key()), as_bytes(message.value())
        headers = tuple((name, as_bytes(data)) for name, data in message.headers() or ())
        timestamp = message.timestamp()[1]
        shown_key, shown_value = self._parts(key, value, timestamp)
        if key is None and value is None and any(name == WATERMARK_HEADER for name, _ in headers):
            shown_value = Part("watermark", "how far time is, from worker to worker", None)
        return SeenRecord(
            partition=message.partition() or 0,
            offset=message.offset() or 0,
            timestamp=timestamp,
            key=shown_key,
            value=shown_value,
            headers=headers,
            size=len(key or b"") + len(value or b""),
        )

    def _parts(self, key: bytes | None, value: bytes | None, timestamp: int) -> tuple[Part, Part]:
        entry = None if self._known is None else self._known.entry
        if entry is not None and key is not None:
            try:
                row = row_of(entry, key, value, timestamp)
                return row_key_part(row), NULL if value is None else plain_part("row", row["value"])
            except Exception:  # what suppress and joins keep has forms of its own
                return guessed(key), guessed(value)
        return self._key(key), self._value(value)


def reader(serde: Serde | None) -> Callable[[bytes | None], Part]:
    """How bytes become a part. What a serde does not read is shown as it looks, with the reason."""
    if serde is None:
        return guessed

    def read(data: bytes | None) -> Part:
        if data is None:
            return NULL
        try:
            decoded = serde.deserialize(data)
            if serde.form in JSON_FORMS:
                return Part(serde.name, data.decode(errors="replace"), decoded)  # with the fields that no type declares
            return plain_part(serde.name, decoded)
        except Exception as error:  # a serde raises whatever its library does, and not every value can be shown
            return wrong(guessed(data), serde, error)

    return read


def wrong(part: Part, serde: Serde, error: Exception) -> Part:
    return Part(part.form, part.text, part.decoded, f"not {serde.name}: {error}")


def guessed(data: bytes | None) -> Part:
    """JSON, text, or bytes in hexadecimal digits."""
    if data is None:
        return NULL
    try:
        decoded = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):  # a string of JSON may be no UTF-8
        text = text_or_hex(data)
        return Part("hex" if text.startswith("0x") and not data.startswith(b"0x") else "text", text, text)
    return Part("json", data.decode(), decoded)


def plain_part(form: str, value: Any) -> Part:
    """A decoded value: text and numbers as they are, windowed keys with their times, all else as JSON."""
    if isinstance(value, Windowed):
        windowed = cast("Windowed[Any]", value)
        return Part(form, f"{plain_text(windowed.key)} @ {iso_time(windowed.start)} – {iso_time(windowed.end)}", value)
    return Part(form, plain_text(value), value)


def row_key_part(row: dict[str, Any]) -> Part:
    text = plain_text(row["key"])
    if "start" in row:
        text += f" @ {iso_time(row['start'])} – {iso_time(row['end'])}"
    return Part("row", text, row["key"])


def plain_text(value: Any) -> str:
    if isinstance(value, str):
        return value.encode(errors="backslashreplace").decode()  # half a surrogate pair has no bytes to send
    if isinstance(value, bytes):
        return text_or_hex(value)
    return msgspec.json.encode(jsonable(value)).decode()


def header_text(value: bytes | None) -> str:
    return "null" if value is None else text_or_hex(value)


def as_bytes(data: str | bytes | None) -> bytes | None:
    return data.encode() if isinstance(data, str) else data
