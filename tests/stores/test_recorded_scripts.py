"""The scripts of the `stores` family of the conformance vectors, run on the stores themselves.

What Apache Kafka Streams' stores answered is recorded in tests/conformance/vectors; the README.md beside them has the
commands. In between the state is committed, and the task opened again, which must change no answer.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from stores import (
    KeyedWindowStore,
    KeyValueSpec,
    KeyValueStore,
    SessionSpec,
    SessionStore,
    Store,
    StoreSpec,
    VersionedSpec,
    VersionedStore,
    WindowSpec,
    WindowStore,
)
from tests.stores.backends import JSON, Backend

VECTORS = Path(__file__).parents[1] / "conformance" / "vectors" / "stores.jsonl.gz"

with gzip.open(VECTORS, "rt", encoding="utf-8") as lines:
    CASES = [json.loads(line) for line in lines]


def spec_of(kind: str, access: str) -> StoreSpec:
    name, *rest = kind.split(":")
    if name == "kv":
        return KeyValueSpec("s", JSON)
    if name == "versioned":
        return VersionedSpec("s", JSON, history_ms=int(rest[0]))
    if name == "session":
        return SessionSpec("s", JSON, retention_ms=int(rest[0]), follows_puts=True)
    return WindowSpec(
        "s", JSON, retention_ms=int(rest[0]), size_ms=int(rest[1]), duplicates="duplicates" in rest, follows_puts=True,
        access="key" if access == "key" else "start",
    )  # fmt: skip


def raw(word: str) -> bytes | None:
    return None if word == "-" else word.encode()


def row(word: str) -> tuple[str, int] | None:
    return None if word == "null" else (word, 0)


def value(found: tuple[Any, int] | None) -> Any:
    return None if found is None else found[0]


def run(store: Store, command: str) -> Any:
    name, *words = command.split(" ")
    reverse = name.startswith("r") and name not in ("range", "remove")
    numbers = [int(word) for word in words if word.isdigit()]
    key = words[0].encode() if words else b""
    if isinstance(store, KeyValueStore):
        return run_key_value(store, name.removeprefix("r") if name in ("rrange", "rall") else name, words, reverse)
    if isinstance(store, VersionedStore):
        if name == "put":
            return store.put(key, None if words[1] == "null" else words[1], int(words[2]))
        answers = {"get": store.get, "delete": store.delete, "as_of": store.as_of}
        found = answers[name](key, *numbers)
        return None if found is None else {"value": found[0], "ts": found[1]}
    if isinstance(store, SessionStore):
        return run_session(store, name, words, numbers, reverse)
    if name == "put":
        store.put(key, int(words[2]), row(words[1]))
        return "ok"
    if name == "get":
        return value(store.get(key, int(words[1])))
    if name in ("fetch", "rfetch"):
        return [[start, found[0]] for start, found in store.fetch(key, *numbers, reverse=reverse)]
    if name == "fetch_keys":
        scan = store.fetch_keys(raw(words[0]), raw(words[1]), int(words[2]), int(words[3]))
    else:
        scan = store.fetch_all(*numbers) if name == "fetch_all" else store.all(reverse=reverse)
    return windows(scan, store)


def windows(rows: Iterable[Any], store: WindowStore | KeyedWindowStore) -> list[Any]:
    return [
        [{"key": key.decode(), "start": start, "end": start + store.size_ms}, found[0]] for (key, start), found in rows
    ]


def run_key_value(store: KeyValueStore, name: str, words: list[str], reverse: bool) -> Any:
    if name == "put":
        store.put(words[0].encode(), row(words[1]))
        return "ok"
    if name == "put_if_absent":
        return value(store.put_if_absent(words[0].encode(), row(words[1])))
    if name in ("get", "delete"):
        return value(getattr(store, name)(words[0].encode()))
    if name == "range":
        scan = store.range(raw(words[0]), raw(words[1]), reverse=reverse)
    else:
        scan = store.prefix(words[0].encode()) if name == "prefix" else store.all(reverse=reverse)
    return [[key.decode(), found[0]] for key, found in scan]


def run_session(store: SessionStore, name: str, words: list[str], numbers: list[int], reverse: bool) -> Any:
    key = words[0].encode()
    if name == "put":
        store.put(key, int(words[1]), int(words[2]), row(words[3]))
        return "ok"
    if name == "remove":
        store.remove(key, *numbers)
        return "ok"
    if name == "get":
        return value(store.get(key, *numbers))
    if name in ("find", "rfind", "fetch"):
        scan = store.fetch(key) if name == "fetch" else store.find(key, *numbers, reverse=reverse)
        return [[{"key": words[0], "start": start, "end": end}, found[0]] for (start, end), found in scan]
    bounds = raw(words[0]), raw(words[1])
    rows = store.fetch_keys(*bounds) if name == "fetch_keys" else store.find_keys(*bounds, *numbers)
    return [[{"key": each.decode(), "start": start, "end": end}, found[0]] for (each, start, end), found in rows]


def runs() -> Iterator[Any]:
    """Each case with its kind of store; window stores without duplicates come in two forms."""
    for case in CASES:
        kind = next(op["store_type"] for op in case["topology"] if "store_type" in op)
        choice = kind.startswith("window") and "duplicates" not in kind
        for access in ("start", "key") if choice else ("start",):
            yield pytest.param(case, kind, access, id=f"{case['name'].removeprefix('stores/')}-{access}")


@pytest.mark.parametrize("commit_every", [1_000, 3])
@pytest.mark.parametrize(("case", "kind", "access"), list(runs()))
def test_store_answers_as_recorded(
    case: dict[str, Any], kind: str, access: str, commit_every: int, backend: Backend
) -> None:
    spec = spec_of(kind, access)
    state = backend.open([spec])
    for number, (step, expected) in enumerate(zip(case["inputs"], case["expected"]), start=1):
        answer = run(state.store("s"), step["value"])
        assert answer == expected[0]["value"], f"step {number}: {step['value']}"
        if number % commit_every == 0:
            state.commit({})
        if number % (4 * commit_every) == 0:
            state = backend.restart([spec])
