"""A store in words: what it is, where its rows lie, and what was said of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from stores import KeyValueSpec, SessionSpec, VersionedSpec, WindowSpec
from streams.plan.plan import StorePlan


def store_text(store: StorePlan) -> str:
    """For example `key-value, in memory, changelog shop-visits-changelog, ttl 60000 ms`."""
    return ", ".join(_words(store))


def _words(store: StorePlan) -> Iterator[str]:
    spec = store.spec
    yield spec.kind
    if isinstance(spec, KeyValueSpec) and spec.custom is not None:
        yield "custom"
    yield "RocksDB" if spec.persistent else "in memory"
    if store.everywhere:
        yield f"filled by {store.source} in every worker"
    elif store.source is not None:
        yield f"filled by {store.source}"
    else:
        yield "not logged" if store.changelog is None else f"changelog {store.changelog}"
    for name, value in store.changelog_settings.items():
        yield f"{name}={value}"
    if store.caching:
        yield "changes forwarded at the commit"
    for name, value in limits(store).items():
        yield f"{name.replace('_', ' ').removesuffix(' ms')} {value}" + (" ms" if name.endswith("_ms") else "")


def limits(store: StorePlan) -> dict[str, Any]:
    """What bounds its rows, by name; those with `_ms` in milliseconds."""
    spec = store.spec
    if isinstance(spec, KeyValueSpec):
        found = {"ttl_ms": spec.expire_after_ms, "max_entries": spec.max_entries}
        return {name: value for name, value in found.items() if value is not None}
    if isinstance(spec, VersionedSpec):
        return {"history_ms": spec.history_ms}
    if isinstance(spec, WindowSpec | SessionSpec):
        return {"retention_ms": spec.retention_ms}
    return {}
