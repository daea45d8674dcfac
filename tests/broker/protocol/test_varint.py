"""Variable-length integers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kio.serial.writers import write_signed_varint, write_unsigned_varint

from broker.protocol.varint import read_uvarint, read_varlong, skip_tags, write_uvarint, write_varlong


@given(st.integers(0, 2**35 - 1))
def test_uvarint_round_trips(value: int) -> None:
    data = write_uvarint(value)
    assert read_uvarint(data + b"\x01", 0) == (value, len(data))


@given(st.integers(-(2**63), 2**63 - 1))
def test_varlong_round_trips(value: int) -> None:
    data = write_varlong(value)
    assert read_varlong(b"\xff" + data, 1) == (value, len(data) + 1)


@pytest.mark.parametrize("read", [read_uvarint, read_varlong])
def test_varint_without_end_is_refused(read: object) -> None:
    with pytest.raises(ValueError, match="longer than"):
        read(b"\xff" * 20, 0)  # type: ignore[operator]


def test_skip_tags_stops_behind_the_last_field() -> None:
    assert skip_tags(b"\x00!", 0) == 1
    assert skip_tags(b"\x02\x00\x01a\x05\x02bc!", 0) == 8


@given(st.integers(0, 2**31 - 1))
def test_varints_are_those_of_an_independent_codec(value: int) -> None:
    import io

    out = io.BytesIO()
    write_unsigned_varint(out, value)  # type: ignore[arg-type]
    assert out.getvalue() == write_uvarint(value)
    out = io.BytesIO()
    write_signed_varint(out, -value)  # type: ignore[arg-type]
    assert out.getvalue() == write_varlong(-value)
