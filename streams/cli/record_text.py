"""A record as text: what `headrace consume` prints."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import click
import msgspec

from streams.cluster.text import iso_time, text_or_hex

if TYPE_CHECKING:
    from confluent_kafka import Message

KeyType = Literal["str", "int", "bytes", "windowed"]
KEY_TYPES: tuple[KeyType, ...] = ("str", "int", "bytes", "windowed")
ValueType = Literal["str", "int", "bytes"]
VALUE_TYPES: tuple[ValueType, ...] = ("str", "int", "bytes")


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordFormat:
    """How the bytes of a topic are to be read. `str` values may be JSON; a count is an `int`."""

    key: KeyType = "str"
    value: ValueType = "str"
    headers: bool = False
    """Whether a line shows them."""


FIELDS: tuple[str, ...] = ("topic", "partition", "offset", "timestamp", "time", "key", "value", "headers")
"""What a template of `headrace consume --format` may name in braces."""


class WindowedKey(msgspec.Struct, frozen=True):
    """A key of a time-windowed table as it stands on a topic: the key's bytes, then the window's start as int64."""

    key: str
    start: int


def decoded_key(key: bytes | None, key_type: KeyType) -> Any:
    """None, str, int or `WindowedKey`; bytes that are not of that type come out as `0x…`, never as an error."""
    if key is None:
        return None
    if key_type == "windowed" and len(key) > 8:
        start = int.from_bytes(key[-8:], "big", signed=True)
        return WindowedKey(text_or_hex(key[:-8]), start)
    return _plain(key, "str" if key_type == "windowed" else key_type)


def decoded_value(value: bytes | None, value_type: ValueType) -> Any:
    """None, str or int, as `decoded_key`."""
    return None if value is None else _plain(value, value_type)


def _plain(data: bytes, kind: ValueType) -> str | int:
    if kind == "int" and len(data) in (4, 8):
        return int.from_bytes(data, "big", signed=True)
    return "0x" + data.hex() if kind == "bytes" else text_or_hex(data)


def record_json(message: Message, form: RecordFormat) -> str:
    """One line of JSON; a value that is JSON stands in it as such, any other as a string or number."""
    value = _bytes(message.value())
    body: dict[str, Any] = {
        "topic": message.topic(),
        "partition": message.partition(),
        "offset": message.offset(),
        "timestamp": message.timestamp()[1],
        "key": decoded_key(_bytes(message.key()), form.key),
        "value": _json(value) if form.value == "str" and _is_json(value) else decoded_value(value, form.value),
    }
    headers = message.headers()
    if headers:
        body["headers"] = [[name, decoded_value(_bytes(data), "str")] for name, data in headers]
    return msgspec.json.encode(body).decode()


def record_line(message: Message, form: RecordFormat, *, colour: bool) -> str:
    """Time, key and value: coloured and spaced for people, separated by tabs in a pipe."""
    time = iso_time(message.timestamp()[1])
    key = text(decoded_key(_bytes(message.key()), form.key))
    value = text(decoded_value(_bytes(message.value()), form.value))
    if form.headers:
        value = f"{headers_text(message)}{'  ' if colour else chr(9)}{value}"
    if not colour:
        return f"{time}\t{key}\t{value}"
    return f"{click.style(time, dim=True)}  {click.style(key, fg='cyan')}  {value}"


def record_template(message: Message, form: RecordFormat, template: str) -> str:
    """A template with `FIELDS` in braces, filled in; `\\n` and `\\t` stand for what they do in Python."""
    timestamp = message.timestamp()[1]
    filled = {
        "topic": message.topic(),
        "partition": message.partition(),
        "offset": message.offset(),
        "timestamp": timestamp,
        "time": iso_time(timestamp),
        "key": text(decoded_key(_bytes(message.key()), form.key)),
        "value": text(decoded_value(_bytes(message.value()), form.value)),
        "headers": headers_text(message),
    }
    return template.replace("\\n", "\n").replace("\\t", "\t").format_map(filled)


def headers_text(message: Message) -> str:
    """`name=value` of each, with commas."""
    return ",".join(f"{name}={text(decoded_value(_bytes(data), 'str'))}" for name, data in message.headers() or ())


def text(part: Any) -> str:
    """A decoded key or value for people."""
    if part is None:
        return "null"
    if isinstance(part, WindowedKey):
        return f"{part.key}@{iso_time(part.start)}"
    return str(part)


def _json(value: bytes | None) -> msgspec.Raw:
    return msgspec.Raw(value or b"null")


def _is_json(value: bytes | None) -> bool:
    try:
        msgspec.json.decode(value or b"null")
    except msgspec.DecodeError:
        return False
    return value is not None


def _bytes(data: str | bytes | None) -> bytes | None:
    return data.encode() if isinstance(data, str) else data
