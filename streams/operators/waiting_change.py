"""A table's change as bytes, while it waits in a buffer.

MessagePack: `[timestamp in ms, headers or nil, new value, value last told]`; the values as their serde writes them, nil
for none.
"""

from __future__ import annotations

import msgspec

from streams.compile.program import Headers


class WaitingChange(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """`old` is what those downstream were told last, where somebody needs it; else None."""

    timestamp: int
    headers: Headers | None
    new: bytes | None
    old: bytes | None


encode_change = msgspec.msgpack.Encoder().encode
decode_change = msgspec.msgpack.Decoder(WaitingChange).decode
