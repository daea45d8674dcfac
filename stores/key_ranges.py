"""Bounds of byte ranges: lower inclusive, upper exclusive, None for no upper bound."""

from __future__ import annotations


def after(key: bytes) -> bytes:
    """The smallest key larger than `key`: the exclusive form of an inclusive end."""
    return key + b"\x00"


def after_prefix(prefix: bytes) -> bytes | None:
    """The smallest key larger than all keys that begin with `prefix`; None if there is none (empty, or all 0xff)."""
    kept = prefix.rstrip(b"\xff")
    return kept[:-1] + bytes([kept[-1] + 1]) if kept else None
