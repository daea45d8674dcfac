"""How the values of one store become bytes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class ValueCodec:
    """A pair of pure functions; `decode(encode(value))` equals `value`. Neither ever sees None: that is a deletion."""

    encode: Callable[[Any], bytes]
    decode: Callable[[bytes], Any]
