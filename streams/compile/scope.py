"""What the generated code holds of the record at one point of the chain."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from streams.graph.schema import Schema


class RecordScope(Struct, frozen=True):
    """Source texts, each valid at this point, that give the parts of the current record.

    `key` and `value` are None while nobody needed the decoded form; then `key_source` and `value_source` are the
    expressions that make it. `key_bytes` and `value_bytes` are serialised forms *under the serde of `schema`*, known
    because they came off the wire or were made already. `key_bytes_source` is an expression for the serialised key
    that is cheaper than serialising `key` (a windowed key is its inner key and a start). `window_end` is the end of a
    windowed key, where it can be told without making that key, `inner_key_bytes` the local with its serialised key
    without the window.

    Behind a table the record is a change: `old_value` is the local with the value that is replaced (holding None if
    there was none), or None where no operator below asked for old values. `latest` is the local that says whether the
    change is its key's latest version, as those of a versioned table may not be; None: it is.
    """

    schema: Schema
    timestamp: str
    headers: str
    message: str = "m"
    key: str | None = None
    key_source: str | None = None
    key_bytes: str | None = None
    key_bytes_source: str | None = None
    window_end: str | None = None
    inner_key_bytes: str | None = None
    value: str | None = None
    value_source: str | None = None
    value_bytes: str | None = None
    old_value: str | None = None
    latest: str | None = None
    key_not_null: bool = False

    def with_new_value(self, schema: Schema, value: str) -> RecordScope:
        """The scope behind an operator that replaced the value by the local `value`."""
        return replace(self, schema=schema, value=value, value_source=None, value_bytes=None)

    def with_new_key(self, schema: Schema, key: str) -> RecordScope:
        """The scope behind an operator that replaced the key by the local `key`."""
        return replace(
            self,
            schema=schema,
            key=key,
            key_source=None,
            key_bytes=None,
            key_bytes_source=None,
            window_end=None,
            inner_key_bytes=None,
            key_not_null=False,
        )

    def not_null_key(self) -> RecordScope:
        """The scope inside a block that only records with a key reach."""
        return replace(self, key_not_null=True)
