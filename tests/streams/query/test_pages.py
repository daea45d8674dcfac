"""Several rows: pages, streams, windows, sessions, and the order they come in."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlencode

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streams.partitioner import partition_for_key
from tests.streams.query.shop import COUNTS, HOUR_MS, Group, User, Worker, ask, shop

USERS = 30
KEYS = ["a", "ab", "abc", "b", "ba", "c"]


def of_key(key: bytes) -> int:
    return partition_for_key(key, 4)


@pytest.fixture(scope="module")
def filled() -> Iterator[tuple[Group, Worker]]:
    """For tests that change nothing."""
    with Group(shop(), COUNTS) as group:
        yield fill(group)


def fill(group: Group) -> tuple[Group, Worker]:
    """Rows of every kind, in two workers; the second one, which has half of them, is asked."""
    for number in range(USERS):
        key = number.to_bytes(8, "big")
        group.store("users", of_key(key)).put(key, (User(f"u{number}"), number))
    for number, key in enumerate(KEYS):
        raw = key.encode()
        group.store("prices", of_key(raw)).put(raw, number, 10 + number)
        for hour in range(5):
            group.store("hourly", of_key(raw)).put(raw, hour * HOUR_MS, (number, hour))
            group.store("visits", of_key(raw)).put(raw, hour * 1000, hour * 1000 + 100 * (hour + 1), (hour, hour))
    group.commit()
    group.worker(*group.of((0, 1)))
    return group, group.worker(*group.of((2, 3)))


def pages(worker: Worker, path: str, limit: int, **words: Any) -> list[dict[str, Any]]:
    """All rows, page by page."""
    return [row for page in each_page(worker, path, limit, **words) for row in page]


def each_page(worker: Worker, path: str, limit: int, **words: Any) -> Iterator[list[dict[str, Any]]]:
    cursor = None
    while True:
        asked = words | {"limit": limit} | ({} if cursor is None else {"cursor": cursor})
        reply = ask(worker, f"{path}?{urlencode(asked)}")
        assert reply.status == 200, reply
        assert len(reply.body["rows"]) <= limit
        yield reply.body["rows"]
        cursor = reply.body["next"]
        if cursor is None:
            return


def seen(rows: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    return [(row["key"], row.get("start"), row.get("end")) for row in rows]


@pytest.mark.parametrize("limit", [1, 2, 7, 1000])
@pytest.mark.parametrize("reverse", ["false", "true"])
@pytest.mark.parametrize(
    ("store", "words"),
    [
        ("users", {}),
        ("users", {"first": 5, "last": 20}),
        ("prices", {}),
        ("prices", {"prefix": "a"}),
        ("prices", {"first": "ab"}),
        ("hourly", {}),
        ("hourly", {"prefix": "ab", "from": HOUR_MS}),
        ("hourly", {"first": "ab", "last": "b", "from": HOUR_MS, "to": 3 * HOUR_MS}),
        ("visits", {"from": 1200, "to": 3000}),
        ("visits", {"last": "abc"}),
    ],
)
def test_pages_of_any_size_have_all_rows_once(
    filled: tuple[Group, Worker], store: str, words: dict[str, Any], limit: int, reverse: str
) -> None:
    """Partition after partition, in the order of the one big page; the other way round in its reverse."""
    _, worker = filled
    whole = seen(ask(worker, f"/stores/{store}?{urlencode(words | {'limit': 10_000})}").body["rows"])
    assert sorted(whole) == sorted(expected(store, words))
    assert seen(pages(worker, f"/stores/{store}", limit, **words, reverse=reverse)) == (
        whole if reverse == "false" else whole[::-1]
    )


def expected(store: str, words: dict[str, Any]) -> list[tuple[Any, ...]]:
    first, last, prefix = words.get("first"), words.get("last"), words.get("prefix", "")
    begin, end = words.get("from", 0), words.get("to", 2**62)
    keys: list[Any] = list(range(USERS)) if store == "users" else KEYS
    keys = [k for k in keys if (first is None or k >= first) and (last is None or k <= last)]
    keys = [k for k in keys if prefix == "" or k.startswith(prefix)]
    if store in ("users", "prices"):
        return [(key, None, None) for key in keys]
    spans = [(h * HOUR_MS, (h + 1) * HOUR_MS) for h in range(5) if begin <= h * HOUR_MS <= end]
    if store == "visits":
        spans = [(h * 1000, h * 1000 + 100 * (h + 1)) for h in range(5)]
        spans = [(s, e) for s, e in spans if e >= begin and s <= end]
    return [(key, *span) for key in keys for span in spans]


@pytest.mark.parametrize("limit", [1, 3, 100])
@pytest.mark.parametrize("reverse", [False, True])
def test_pages_of_one_key_go_by_time(filled: tuple[Group, Worker], limit: int, reverse: bool) -> None:
    _, worker = filled
    for store, key in (("hourly", "abc"), ("visits", "b")):
        rows = pages(worker, f"/stores/{store}/{key}", limit, reverse=str(reverse).lower())
        assert seen(rows) == sorted((k for k in expected(store, {}) if k[0] == key), reverse=reverse)
    hours = seen(pages(worker, "/stores/hourly/a", limit, **{"from": HOUR_MS, "to": "1970-01-01T02:30:00Z"}))
    assert [start for _, start, _ in hours] == [HOUR_MS, 2 * HOUR_MS]


def test_window_and_session_are_found_by_their_bounds(filled: tuple[Group, Worker]) -> None:
    _, worker = filled
    assert ask(worker, f"/stores/hourly/abc?start={HOUR_MS}").body == {
        "key": "abc",
        "start": HOUR_MS,
        "end": 2 * HOUR_MS,
        "value": 2,
        "timestamp": 1,
    }
    assert ask(worker, "/stores/visits/abc?start=2000&end=2300").body["value"] == 2
    for absent in ("hourly/abc?start=5", "visits/abc?start=2000&end=2301", "hourly/abc?from=99999999999", "hourly/zz"):
        assert ask(worker, f"/stores/{absent}").status == 404, absent


def test_stream_has_all_rows_of_all_workers(filled: tuple[Group, Worker]) -> None:
    _, worker = filled
    reply = ask(worker, "/scan/users?first=3&last=25&reverse=true")
    assert reply.headers["content-type"].startswith("application/x-ndjson")
    rows = [msgspec.json.decode(line) for line in reply.body.splitlines()]
    assert sorted(row["key"] for row in rows) == list(range(3, 26))
    assert ask(worker, "/scan/prices?prefix=zz").body == ""


def test_page_of_what_cannot_be_asked_says_why_and_goes_on_later(group: Group) -> None:
    """What there is before the gap is given; the gap is the next page's problem, and its cursor stays good."""
    _, worker = fill(group)
    moving = group.task("users", 2)
    worker.running -= {moving}
    page = ask(worker, "/stores/users?limit=1000")
    assert page.status == 200
    assert {of_key(row["key"].to_bytes(8, "big")) for row in page.body["rows"]} == {0, 1}
    rest = ask(worker, f"/stores/users?limit=1000&cursor={page.body['next']}")
    assert (rest.status, rest.body["reason"]) == (409, "moving")
    stuck = ask(worker, "/scan/users?wait_ms=200").body.splitlines()
    assert msgspec.json.decode(stuck[-1])["reason"] == "moving"
    assert len(stuck) == len(page.body["rows"]) + 1
    worker.running |= {moving}
    rest = ask(worker, f"/stores/users?limit=1000&cursor={page.body['next']}")
    assert len(page.body["rows"]) + len(rest.body["rows"]) == USERS


def test_stream_waits_for_a_partition_that_moves(group: Group) -> None:
    _, worker = fill(group)
    moving = group.task("users", 0)
    first = group.workers[0]
    first.running -= {moving}
    threading.Timer(0.4, lambda: setattr(first, "running", first.running | {moving})).start()
    assert len(ask(worker, "/scan/users?wait_ms=10000").body.splitlines()) == USERS


@pytest.mark.parametrize(
    ("path", "detail"),
    [
        ("/stores/users?prefix=1", "a prefix needs keys that are text or bytes"),
        ("/stores/users?first=x", "'x' is no key of this store"),
        ("/stores/users?from=0", "which has no rows by time"),
        ("/stores/users/7?from=0", "which has no rows by time"),
        ("/stores/prices?from=0", "only of one key"),
        ("/stores/prices?prefix=a&first=b", "leave out first and last"),
        ("/stores/users?cursor=xyz", "was not given by a page"),
        ("/stores/users?limit=0", "limit"),
        ("/stores/hourly?from=tomorrow", "from='tomorrow' is no time"),
        ("/stores/hourly?from=9&to=8", "from=9 is later than to=8"),
        ("/stores/users/7?start=0", "leave out start and end"),
        ("/stores/visits/a?end=0", "end needs start"),
        ("/stores/hourly/a?start=0&from=0", "leave out from and to"),
        ("/stores/users/7?position=users", "is no position"),
        ("/stores/users/7?position=orders:0:1", "store 'users' holds nothing of orders: a position of it is of users"),
    ],
)
def test_wrong_question_is_400_and_says_how(filled: tuple[Group, Worker], path: str, detail: str) -> None:
    reply = ask(filled[1], path)
    assert (reply.status, reply.body["reason"]) == (400, "bad-question"), reply
    assert detail in reply.body["detail"]


def test_stores_are_listed_with_owners(filled: tuple[Group, Worker]) -> None:
    group, worker = filled
    reply = ask(worker, "/stores")
    listed = {store["name"]: store for store in reply.body}
    assert {name: store["kind"] for name, store in listed.items()} == {
        "users": "key_value",
        "prices": "versioned",
        "countries": "key_value",
        "averages": "key_value",
        "hourly": "window",
        "visits": "session",
        "by-user": "key_value",
    }
    one, two = (each.endpoint for each in group.workers)
    assert listed["users"]["owners"] == {"0": one, "1": one, "2": two, "3": two}
    assert listed["users"]["partitions"] == [2, 3]
    assert listed["countries"]["owners"] == {"0": two}
    assert listed["users"]["topics"] == ["users"]


def test_openapi_describes_the_routes(filled: tuple[Group, Worker]) -> None:
    document = ask(filled[1], "/openapi.json").body
    assert {"/stores", "/stores/{name}", "/stores/{name}/{key}", "/scan/{name}", "/changes/{name}"} <= set(
        document["paths"]
    )
    answers = document["paths"]["/stores/{name}/{key}"]["get"]["responses"]
    assert {"200", "400", "404", "409", "412", "503"} <= set(answers)
    assert not any("peers" in path for path in document["paths"])


rows = st.sets(
    st.tuples(st.sampled_from(["", "a", "aa", "a/b", "ü", "b"]), st.integers(0, 5).map(lambda n: n * HOUR_MS // 2)),
    max_size=25,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=rows, limit=st.integers(1, 5), reverse=st.booleans(), key=st.sampled_from([None, "", "a", "a/b", "ü"]))
def test_pages_of_windows_against_an_oracle(
    group: Group, rows: set[tuple[str, int]], limit: int, reverse: bool, key: str | None
) -> None:
    """Whatever keys there are (empty, with slashes, that begin with each other): each row once, both ways."""
    worker = group.workers[0] if group.workers else group.worker(*group.plan.tasks)
    for partition in range(4):
        store = group.store("hourly", partition)
        for k in ["", "a", "aa", "a/b", "ü", "b"]:
            for n in range(6):
                start = n * HOUR_MS // 2
                here = (k, start) in rows and of_key(k.encode()) == partition
                store.put(k.encode(), start, (1, 1) if here else None)
    group.commit()
    path = "/stores/hourly" if key is None else f"/stores/hourly/{quote(key, safe='')}"
    wanted = {row for row in rows if key is None or row[0] == key}
    if key is not None and not wanted:
        assert ask(worker, path).status == 404
        return
    found = [(row["key"], row["start"]) for row in pages(worker, path, limit, reverse=str(reverse).lower())]
    assert len(found) == len(wanted)
    assert set(found) == wanted
