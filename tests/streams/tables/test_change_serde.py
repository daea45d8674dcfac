"""The wire form of changes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.serde import change_serde, serde_for

SERDE = change_serde(serde_for(bytes, role="value"))
some = st.binary(max_size=300)


@given(st.one_of(st.tuples(some, some), st.tuples(some, st.none()), st.tuples(st.none(), some)))
def test_change_comes_back_as_it_was(change: tuple[Any, Any]) -> None:
    assert SERDE.deserialize(SERDE.serialize(change)) == change


def test_change_layout_is_pinned() -> None:
    """Records in a repartition topic outlive the version that wrote them."""
    assert SERDE.serialize((b"new", None)) == b"\x01new"
    assert SERDE.serialize((None, b"old")) == b"\x02old"
    assert SERDE.serialize((b"new", b"old")) == b"\x03\x00\x00\x00\x03oldnew"


@pytest.mark.parametrize("data", [b"", b"\x04x", b"\x03\x00\x00", b"\x03\x00\x00\x00\x09abc"])
def test_bytes_that_are_no_change_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="not a change"):
        SERDE.deserialize(data)
