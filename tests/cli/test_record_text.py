"""What `headrace consume` prints for a record."""

from __future__ import annotations

import json
from typing import Any, cast

import pytest

from streams.cli.record_text import (
    KeyType,
    RecordFormat,
    ValueType,
    decoded_key,
    decoded_value,
    iso_time,
    record_json,
    record_line,
    text,
    text_or_hex,
)
from tests.cli.fake_message import FakeMessage


@pytest.mark.parametrize(
    ("key", "key_type", "shown"),
    [
        (None, "str", "null"),
        (b"SEA", "str", "SEA"),
        (b"\xff\x00", "str", "0xff00"),
        (b"SEA", "bytes", "0x534541"),
        ((7).to_bytes(8, "big"), "int", "7"),
        ((-1).to_bytes(4, "big", signed=True), "int", "-1"),
        (b"abc", "int", "abc"),
        (b"CA" + (978307200000).to_bytes(8, "big"), "windowed", "CA@2001-01-01T00:00:00Z"),
        (b"short", "windowed", "short"),
    ],
)
def test_decoded_key_of_each_type_shows_it_or_the_bytes(key: bytes | None, key_type: KeyType, shown: str) -> None:
    """A key that is not of the type asked for is shown as it is; it never stops the listing."""
    assert text(decoded_key(key, key_type)) == shown


@pytest.mark.parametrize(
    ("value", "value_type", "shown"),
    [
        (None, "int", "null"),
        ((5).to_bytes(8, "big"), "int", "5"),
        (b"fives", "int", "fives"),
        (b"\x05", "bytes", "0x05"),
    ],
)
def test_decoded_value_of_each_type_shows_it_or_the_bytes(value: bytes, value_type: ValueType, shown: str) -> None:
    """The same for values; a count is an int64."""
    assert text(decoded_value(value, value_type)) == shown


@pytest.mark.parametrize(
    ("data", "shown"),
    [(b"{}", "{}"), ("Köln".encode(), "Köln"), (b"a\tb\nc", "a\tb\nc"), (b"\x00\x01", "0x0001"), (b"\xc3", "0xc3")],
)
def test_text_or_hex_unprintable_becomes_hex(data: bytes, shown: str) -> None:
    """Control characters do not reach the terminal."""
    assert text_or_hex(data) == shown


@pytest.mark.parametrize(
    ("milliseconds", "shown"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (978307260123, "2001-01-01T00:01:00.123Z"),
        (-1, "1969-12-31T23:59:59.999Z"),
        (2**63 - 1, str(2**63 - 1)),
    ],
)
def test_iso_time_of_any_int64_is_shown(milliseconds: int, shown: str) -> None:
    """Times outside the calendar stay numbers."""
    assert iso_time(milliseconds) == shown


def test_record_line_in_a_pipe_has_three_tab_separated_columns() -> None:
    """Time, key and value can be cut apart."""
    message = cast(Any, FakeMessage(key_bytes=b"SEA", value_bytes=b'{"delay": 3}'))
    assert record_line(message, RecordFormat(), colour=False).split("\t") == [
        "2001-01-01T00:01:00Z",
        "SEA",
        '{"delay": 3}',
    ]


def test_record_line_tombstone_shows_null() -> None:
    """A null value is not an empty one."""
    message = cast(Any, FakeMessage(key_bytes=b"SEA", value_bytes=None))
    assert record_line(message, RecordFormat(), colour=False).endswith("\tnull")


@pytest.mark.parametrize(("value", "shown"), [(b'{"a":[1]}', {"a": [1]}), (b"plain", "plain"), (None, None)])
def test_record_json_embeds_json_values(value: bytes | None, shown: object) -> None:
    """JSON stays JSON, other text becomes a string, a tombstone null."""
    message = cast(Any, FakeMessage(key_bytes=b"SEA", value_bytes=value, header_list=[("trace", b"1"), ("none", None)]))
    assert json.loads(record_json(message, RecordFormat())) == {
        "topic": "delays",
        "partition": 3,
        "offset": 17,
        "timestamp": 978307260000,
        "key": "SEA",
        "value": shown,
        "headers": [["trace", "1"], ["none", None]],
    }
