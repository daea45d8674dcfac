"""Which rows a question is about, as the URL says it, and where a page of them ended."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping

import msgspec
from msgspec import Struct

from streams.plan.plan import StorePlan
from streams.query.keys import parse_key, parse_prefix, parse_time
from streams.query.problem import Problem

TIMED = frozenset({"window", "session"})
"""Kinds of stores with several rows for a key, by time."""


class Mark(msgspec.Struct, frozen=True, array_like=True):
    """A row within a partition: behind it the next page begins. `time` and `rank` tell rows of one key apart."""

    key: bytes
    time: int = 0
    rank: int = 0


class Cursor(msgspec.Struct, frozen=True, array_like=True):
    """Where a page ended: in this partition (as the question goes through them), behind this row; None: before it."""

    partition: int
    mark: Mark | None = None

    def text(self) -> str:
        return base64.urlsafe_b64encode(msgspec.msgpack.encode(self)).decode().rstrip("=")

    @classmethod
    def parse(cls, text: str) -> Cursor:
        """Raises Problem."""
        try:
            packed = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
            return msgspec.msgpack.decode(packed, type=cls)
        except (binascii.Error, msgspec.DecodeError, ValueError) as error:
            raise Problem(f"cursor={text!r} was not given by a page: leave it out to begin at the first row") from error


class Scope(Struct, frozen=True, kw_only=True):
    """Serialised keys, times in ms, all bounds inclusive, None leaving an end open. `key` restricts to one key. In a
    session store `time_from` bounds the end and `time_to` the start: sessions that touch the span."""

    key: bytes | None = None
    first: bytes | None = None
    last: bytes | None = None
    prefix: bytes | None = None
    time_from: int | None = None
    time_to: int | None = None
    reverse: bool = False

    @classmethod
    def parse(cls, plan: StorePlan, words: Mapping[str, str | None], key: str | None, *, reverse: bool) -> Scope:
        """From the parameters `first`, `last`, `prefix`, `from`, `to`. Raises Problem naming what does not fit."""
        name, kind, serde = plan.name, plan.kind, plan.key_serde
        first, last, prefix = (words.get(word) for word in ("first", "last", "prefix"))
        time_from, time_to = (parse_time(words.get(word), word) for word in ("from", "to"))
        if key is not None and (first, last, prefix) != (None, None, None):
            raise Problem("one key, or a range of keys: leave out first, last and prefix", store=name)
        if prefix is not None and (first is not None or last is not None):
            raise Problem("a prefix, or a range of keys: leave out first and last", store=name)
        timed = kind in TIMED or (kind == "versioned" and key is not None)
        if not timed and (time_from is not None or time_to is not None):
            cure = "only of one key" if kind == "versioned" else "leave out from and to"
            raise Problem(f"store {name!r} is a {kind} store, which has no rows by time: {cure}", store=name)
        if time_from is not None and time_to is not None and time_from > time_to:
            raise Problem(f"from={time_from} is later than to={time_to}", store=name)
        return cls(
            key=None if key is None else parse_key(key, serde),
            first=None if first is None else parse_key(first, serde),
            last=None if last is None else parse_key(last, serde),
            prefix=None if prefix is None else parse_prefix(prefix, serde),
            time_from=time_from,
            time_to=time_to,
            reverse=reverse,
        )
