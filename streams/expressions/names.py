"""What an expression's source text may refer to: the locals of the record, and constants bound by name."""

from __future__ import annotations

from typing import Any, Protocol

from msgspec import Struct

from streams.serde import Unknown


class RecordNames(Struct, frozen=True, kw_only=True):
    """Source texts that give the parts of the current record in the code an expression is inlined into.

    `headers` gives a list of (name, bytes) pairs, or None. `value_type` and `key_type` decide between `v.x` and
    `v["x"]`; where they are `Unknown` the code decides per record.
    """

    key: str
    value: str
    timestamp: str
    headers: str
    topic: str
    partition: str
    offset: str
    value_type: Any = Unknown
    key_type: Any = Unknown


class Constants(Protocol):
    """Gives objects that source text cannot hold a name in the generated module."""

    def bind(self, value: Any, hint: str = "constant", /) -> str: ...
