"""The serde of changes: how an old and a new value travel together through a repartition topic.

    offset  width       field
    0       1           1: new value only, 2: old value only, 3: both
    1       4           length of the old value, big-endian; only where there are both
    ...     ...         old value, then new value, as the value's own serde writes them

A change of nothing to nothing is not written, so a record with a null value never is a change. The layout is private
to an application's repartition topics. Source: Kafka's `ChangedSerializer` serves the same end with another layout.
"""

from __future__ import annotations

import struct
from typing import Any

from streams.serde.serde import Serde

LENGTH = struct.Struct(">I")
NEW, OLD, BOTH = b"\x01", b"\x02", b"\x03"

Change = tuple[Any, Any]
"""(new value, old value); None where there is none."""


def change_serde(inner: Serde) -> Serde:
    """Pairs (new, old) of values that `inner` writes, of which at least one is not None."""
    serialize_value, deserialize_value = inner.serialize, inner.deserialize
    pack, unpack_from = LENGTH.pack, LENGTH.unpack_from

    def serialize(change: Change) -> bytes:
        new, old = change
        if old is None:
            return NEW + serialize_value(new)
        written = serialize_value(old)
        if new is None:
            return OLD + written
        return BOTH + pack(len(written)) + written + serialize_value(new)

    def deserialize(data: bytes) -> Change:
        kind = data[:1]
        if kind == NEW:
            return deserialize_value(data[1:]), None
        if kind == OLD:
            return None, deserialize_value(data[1:])
        if kind != BOTH or len(data) < 5 or len(data) - 5 < unpack_from(data, 1)[0]:
            raise ValueError("the bytes are not a change of a table: they do not begin as one")
        split = 5 + unpack_from(data, 1)[0]
        return deserialize_value(data[split:]), deserialize_value(data[5:split])

    return Serde(
        serialize=serialize,
        deserialize=deserialize,
        type=tuple[inner.type, inner.type],
        name=f"Change({inner.name})",
        form=None if inner.form is None else f"change {inner.form}",
        schema=inner.schema,
        bind=None if inner.bind is None else lambda destination: change_serde(inner.bound(destination)),
    )
