"""Keys and times in URLs."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec

from streams.query.problem import Problem
from streams.serde import Serde

PARSERS: dict[Any, Callable[[str], Any]] = {str: str, int: int, float: float, UUID: UUID}

LATEST = 2**63 - 1
"""Times fit into 64 bits, in stores and on topics."""
LONGEST_TIME = len(str(-LATEST))


def parse_key(text: str, serde: Serde) -> bytes:
    """The serialised key that `text` stands for: by the key's type text, digits, `true`, base64 (for bytes), else JSON.

    Raises:
        Problem: the text is no such key.
    """
    try:
        return serde.serialize(key_value(text, serde.type))
    except Problem:
        raise
    except Exception as error:  # a serde raises whatever its library does
        raise Problem(f"{text!r} is no key of this store, whose keys are {serde.name}: {error}") from error


def parse_prefix(text: str, serde: Serde) -> bytes:
    """The bytes that keys beginning with `text` begin with. Raises Problem where keys are neither text nor bytes."""
    if serde.type is bytes:
        return parse_key(text, serde)
    if serde.type is not str:
        raise Problem(
            f"a prefix needs keys that are text or bytes; those of this store are {serde.name}: use first, last"
        )
    return parse_key(text, serde)


def key_value(text: str, type_: Any) -> Any:
    if type_ is bool:
        if text not in ("true", "false"):
            raise Problem(f"{text!r} is no bool: write true or false")
        return text == "true"
    if type_ is bytes:
        try:
            return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        except binascii.Error as error:
            raise Problem(f"{text!r} is not base64: keys of this store are bytes") from error
    parser = PARSERS.get(type_)
    if parser is not None:
        return parser(text)
    try:
        decoded = msgspec.json.decode(text.encode())
    except msgspec.DecodeError:
        return text  # keys without a declared type are mostly strings
    try:
        return msgspec.convert(decoded, type_)
    except (msgspec.ValidationError, TypeError):
        return decoded


def parse_time(text: str | None, name: str) -> int | None:
    """Ms since the epoch, from digits or from ISO 8601 (UTC if it names no zone). Raises Problem."""
    if text is None:
        return None
    if text.removeprefix("-").isdecimal() and len(text) <= LONGEST_TIME and -LATEST <= int(text) <= LATEST:
        return int(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise Problem(
            f"{name}={text[:40]!r} is no time: write ms since the epoch, or such as 2026-01-31T12:00:00Z"
        ) from None
    return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)


def jsonable(value: Any) -> Any:
    """A value of any serde as JSON can hold it: structs and dataclasses as objects, bytes as base64."""
    try:
        return msgspec.to_builtins(value, str_keys=True, enc_hook=otherwise)
    except (TypeError, ValueError):
        return repr(value)


def otherwise(value: Any) -> Any:
    dump: Any = getattr(value, "model_dump", None) or getattr(value, "asdict", None)
    if callable(dump):
        return dump()
    raise TypeError(f"{type(value).__name__} has no JSON form")
