"""How the values of one store become bytes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec import Struct


class ValueCodec(Struct, frozen=True):
    """A pair of functions; `decode(encode(value))` equals `value`. Neither ever sees None: that is a deletion.

    `bind` makes the codec for one changelog topic, where that makes a difference: values may have a schema that is
    registered under the topic's name. What it is given says which topic, in the terms of whoever made the codec. None:
    the bytes are the same for every topic.
    """

    encode: Callable[[Any], bytes]
    decode: Callable[[bytes], Any]
    bind: Callable[[Any], ValueCodec] | None = None

    def bound(self, destination: Any) -> ValueCodec:
        """The codec for that destination: often this one."""
        return self if self.bind is None else self.bind(destination)
