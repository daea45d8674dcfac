"""The contract of key-value stores, on every backend."""

from __future__ import annotations

import pytest

from stores import MISSING, ChangelogRecord, RowDecodeError, RowEncodeError, StoreClosedError, TaskState
from tests.stores.backends import COUNTS, Backend, fill, key_values, values


@pytest.fixture
def state(backend: Backend) -> TaskState:
    return backend.open()


ROWS = {
    b"": 0,
    b"a": 1,
    b"a\x00": 2,
    b"ab": 3,
    b"b": 4,
    "é".encode(): 5,
    "日本".encode(): 6,
    b"\xff": 7,
    b"\xff\xff": 8,
}
"""Keys in byte order, the awkward ones among them."""


def test_get_unknown_key_is_none(state: TaskState) -> None:
    assert key_values(state).get(b"nothing") is None


def test_get_after_put_gives_value_and_timestamp(state: TaskState) -> None:
    store = key_values(state)
    store.put(b"a", ({"n": 1}, 17))
    assert store.get(b"a") == ({"n": 1}, 17)


@pytest.mark.parametrize("timestamp", [0, -1, 2**62])
def test_get_after_commit_and_restart_gives_the_same_row(backend: Backend, timestamp: int) -> None:
    state = backend.open()
    key_values(state).put(b"a", ([1, None, "é"], timestamp))
    state.commit({})
    assert key_values(state).get(b"a") == ([1, None, "é"], timestamp)
    assert key_values(backend.restart()).get(b"a") == ([1, None, "é"], timestamp)


def test_uncommitted_rows_are_gone_after_restart(backend: Backend) -> None:
    state = backend.open()
    fill(key_values(state), {b"a": 1})
    state.commit({})
    fill(key_values(state), {b"a": 2, b"b": 2})
    store = key_values(backend.restart())
    assert values(store.all()) == {b"a": 1}


def test_put_if_absent_keeps_the_present_row(state: TaskState) -> None:
    store = key_values(state)
    assert store.put_if_absent(b"a", (1, 1)) is None
    assert store.put_if_absent(b"a", (2, 2)) == (1, 1)
    state.commit({})
    assert store.put_if_absent(b"a", (3, 3)) == (1, 1)
    assert store.get(b"a") == (1, 1)


def test_put_if_absent_after_delete_sets_the_row(state: TaskState) -> None:
    store = key_values(state)
    fill(store, {b"a": 1})
    state.commit({})
    store.delete(b"a")
    assert store.put_if_absent(b"a", (2, 2)) is None
    assert store.get(b"a") == (2, 2)


def test_delete_returns_the_old_row_once(state: TaskState) -> None:
    store = key_values(state)
    fill(store, {b"a": 1})
    state.commit({})
    assert store.delete(b"a") == (1, 1)
    assert store.get(b"a") is None
    assert store.delete(b"a") is None


def test_delete_survives_commit_and_restart(backend: Backend) -> None:
    state = backend.open()
    fill(key_values(state), {b"a": 1, b"b": 2})
    state.commit({})
    key_values(state).delete(b"a")
    state.commit({})
    assert key_values(state).get(b"a") is None
    assert values(key_values(backend.restart()).all()) == {b"b": 2}


def test_put_with_a_text_key_fails_at_once(state: TaskState) -> None:
    with pytest.raises(TypeError, match=r"'counts'.*serialise the key"):
        key_values(state).put("a", (1, 1))  # type: ignore[arg-type]


# Hot path: what generated code does


def test_dirty_keeps_its_identity_and_is_empty_after_commit_and_discard(state: TaskState) -> None:
    store = key_values(state)
    dirty = store.dirty
    dirty[b"a"] = (1, 1)
    state.commit({})
    assert store.dirty is dirty
    assert dirty == {}
    dirty[b"a"] = (2, 2)
    state.discard()
    assert store.dirty is dirty
    assert dirty == {}
    assert store.load(b"a") == (1, 1)


def test_rows_set_in_dirty_are_what_get_scan_and_commit_see(backend: Backend) -> None:
    state = backend.open()
    store = key_values(state)
    for key in (b"b", b"a", b"c"):
        row = store.dirty.get(key, MISSING)
        assert row is MISSING
        assert store.load(key) is None
        store.dirty[key] = (1, 2)
    store.dirty[b"c"] = None
    assert store.get(b"a") == (1, 2)
    assert values(store.all()) == {b"a": 1, b"b": 1}
    state.commit({})
    assert values(key_values(backend.restart()).all()) == {b"a": 1, b"b": 1}


def test_load_of_an_absent_key_notices_a_later_commit(state: TaskState) -> None:
    store = key_values(state)
    assert store.load(b"a") is None
    fill(store, {b"a": 1})
    state.commit({})
    assert store.load(b"a") == (1, 1)


# Scans


@pytest.mark.parametrize("committed", ["nothing", "half", "all"])
@pytest.mark.parametrize("reverse", [False, True])
def test_all_is_in_byte_order_whatever_is_committed(state: TaskState, committed: str, reverse: bool) -> None:
    store = key_values(state)
    items = list(ROWS.items())
    first = {"nothing": [], "half": items[::2], "all": items}[committed]
    fill(store, dict(reversed(first)))
    state.commit({})
    fill(store, dict(reversed([item for item in items if item not in first])))
    expected = list(reversed(items)) if reverse else items
    assert list(values(store.all(reverse=reverse)).items()) == expected


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize(
    ("start", "end"),
    [
        (None, None),
        (b"a", b"b"),
        (b"a\x00", b"aa"),
        (b"", b""),
        (None, b"ab"),
        (b"b", None),
        (b"\xff", b"\xff"),
        (b"b", b"a"),
    ],
)
def test_range_holds_both_ends(state: TaskState, start: bytes | None, end: bytes | None, reverse: bool) -> None:
    store = key_values(state)
    fill(store, dict(list(ROWS.items())[::2]))
    state.commit({})
    fill(store, dict(list(ROWS.items())[1::2]))
    expected = [key for key in ROWS if (start is None or start <= key) and (end is None or key <= end)]
    if reverse:
        expected.reverse()
    assert [key for key, _ in store.range(start, end, reverse=reverse)] == expected
    state.commit({})
    assert [key for key, _ in store.range(start, end, reverse=reverse)] == expected
    assert [key for key, _ in store.reader().range(start, end, reverse=reverse)] == expected


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("prefix", [b"", b"a", b"ab", b"abc", "é".encode(), b"\xc3", b"\xff", b"\xff\xff", b"zzz"])
def test_prefix_holds_all_keys_that_begin_with_it(state: TaskState, prefix: bytes, reverse: bool) -> None:
    store = key_values(state)
    fill(store, dict(list(ROWS.items())[::2]))
    state.commit({})
    fill(store, dict(list(ROWS.items())[1::2]))
    expected = sorted((key for key in ROWS if key.startswith(prefix)), reverse=reverse)
    assert [key for key, _ in store.prefix(prefix, reverse=reverse)] == expected
    state.commit({})
    assert [key for key, _ in store.reader().prefix(prefix, reverse=reverse)] == expected


def test_scan_shows_dirty_rows_over_committed_ones_and_no_deleted_ones(state: TaskState) -> None:
    store = key_values(state)
    fill(store, {b"a": 1, b"b": 2, b"c": 3, b"d": 4})
    state.commit({})
    fill(store, {b"a": None, b"b": 20, b"d": None, b"e": 50, b"f": None})
    assert values(store.all()) == {b"b": 20, b"c": 3, b"e": 50}
    assert values(store.all(reverse=True)) == {b"e": 50, b"c": 3, b"b": 20}


def test_scan_sees_keys_that_were_written_between_two_scans(state: TaskState) -> None:
    store = key_values(state)
    for number in reversed(range(100)):
        fill(store, {b"%03d" % number: number})
        assert [value for _, (value, _) in store.range(b"%03d" % number, b"%03d" % (number + 2))] == list(
            range(number, min(number + 3, 100))
        )


@pytest.mark.parametrize("reverse", [False, True])
def test_scan_is_not_moved_by_writes_of_its_own_loop(state: TaskState, reverse: bool) -> None:
    store = key_values(state)
    rows = {b"%04d" % number: number for number in range(1000)}
    fill(store, rows)
    state.commit({})
    fill(store, {b"%04d+" % number: -number for number in range(0, 1000, 7)})
    expected = values(store.all(reverse=reverse))
    seen: dict[bytes, int] = {}
    for key, (value, _) in store.all(reverse=reverse):
        seen[key] = value
        store.delete(key)
        fill(store, {key + b"-": 1, b"zzz" + key: 2, b"!" + key: 3})
    assert seen == expected
    assert list(seen) == list(expected)


@pytest.mark.parametrize("end_of_step", ["commit", "discard"])
def test_scan_goes_on_over_a_commit_or_discard(state: TaskState, end_of_step: str) -> None:
    store = key_values(state)
    fill(store, {b"%04d" % number: number for number in range(500)})
    state.commit({})
    fill(store, {b"0000+": -1, b"0499+": -2, b"0100": None})
    expected = values(store.all())
    seen: dict[bytes, int] = {}
    for key, (value, _) in store.all():
        if not seen:
            fill(store, {b"0300": None, b"0400": 0})
            state.commit({}) if end_of_step == "commit" else state.discard()
        seen[key] = value
    assert seen == expected


def test_scan_left_early_can_be_closed_and_ends(state: TaskState) -> None:
    store = key_values(state)
    fill(store, {b"%04d" % number: number for number in range(500)})
    state.commit({})
    with store.all() as rows:
        assert next(rows) == (b"0000", (0, 1))
    assert list(rows) == []
    rows.close()


def test_store_after_close_of_the_state_fails(backend: Backend) -> None:
    state = backend.open()
    store = key_values(state)
    fill(store, {b"a": 1})
    state.commit({})
    state.close()
    for read in (lambda: store.get(b"a"), lambda: list(store.all()), lambda: store.reader().get(b"a")):
        with pytest.raises(StoreClosedError, match="open it again"):
            read()


# Changelog records


def test_pending_gives_plain_values_with_the_rows_timestamps_and_commits_nothing(state: TaskState) -> None:
    store = key_values(state)
    fill(store, {b"gone": 1})
    state.commit({})
    store.put(b"a", ({"n": 1}, 17))
    store.delete(b"gone")
    expected = [ChangelogRecord(b"a", b'{"n": 1}', 17), ChangelogRecord(b"gone", None, 0)]
    assert list(state.pending("counts")) == expected
    assert list(state.pending("counts")) == expected
    assert store.reader().get(b"a") is None
    state.commit({})
    assert list(state.pending("counts")) == []


def test_pending_gives_each_key_once_with_its_last_row(state: TaskState) -> None:
    store = key_values(state)
    for number in range(5):
        store.put(b"a", (number, number))
    assert list(state.pending("counts")) == [ChangelogRecord(b"a", b"4", 4)]


def test_rows_set_after_pending_stay_dirty_over_the_commit(backend: Backend) -> None:
    state = backend.open()
    store = key_values(state)
    fill(store, {b"a": 1, b"b": 1, b"d": 1})
    list(state.pending("counts"))
    fill(store, {b"b": 2, b"c": 2, b"d": None})
    state.commit({})
    assert values(store.reader().all()) == {b"a": 1, b"b": 1, b"d": 1}
    assert values(store.all()) == {b"a": 1, b"b": 2, b"c": 2}
    assert {record.key: record.value for record in state.pending("counts")} == {b"b": b"2", b"c": b"2", b"d": None}
    state.commit({})
    assert values(key_values(backend.restart()).all()) == {b"a": 1, b"b": 2, b"c": 2}


def test_value_that_does_not_encode_names_store_and_key(state: TaskState) -> None:
    store = key_values(state)
    store.put(b"good", (1, 1))
    store.put(b"bad", (object(), 1))
    with pytest.raises(RowEncodeError, match=r"'counts'.*b'bad'.*value serde") as raised:
        state.pending("counts")
    assert isinstance(raised.value.__cause__, TypeError)
    with pytest.raises(RowEncodeError):
        state.commit({})
    assert store.reader().get(b"good") is None


def test_value_that_does_not_decode_names_store_and_key(backend: Backend) -> None:
    state = backend.open()
    store = key_values(state)
    fill(store, {b"a": 1})
    state.commit({})
    state.restore("names", [(b"fine", b"1", 1), (b"k", b"{torn", 1)], 2)
    for read in (lambda: key_values(state, "names").get(b"k"), lambda: list(key_values(state, "names").all())):
        with pytest.raises(RowDecodeError, match=r"'names'.*b'k'.*defaults"):
            read()
    with pytest.raises(RowDecodeError):
        key_values(state, "names").reader().get(b"k")


# Values that are changed in place


def test_discard_brings_back_values_that_were_changed_in_place(state: TaskState) -> None:
    store = key_values(state)
    store.put(b"a", ([1], 1))
    state.commit({})
    row = store.get(b"a")
    assert row is not None
    row[0].append(2)
    store.put(b"a", (row[0], 2))
    state.discard()
    assert store.get(b"a") == ([1], 1)


def test_reader_never_sees_values_that_were_changed_in_place(state: TaskState) -> None:
    store = key_values(state)
    store.put(b"a", ([1], 1))
    state.commit({})
    row = store.get(b"a")
    assert row is not None
    row[0].append(2)
    assert store.reader().get(b"a") == ([1], 1)


# Figures


def test_approximate_entries_counts_committed_and_dirty_rows(state: TaskState) -> None:
    store = key_values(state)
    fill(store, {b"%d" % number: number for number in range(10)})
    state.commit({})
    fill(store, {b"new": 1})
    assert store.approximate_entries() == 11


def test_dirty_bytes_grows_with_rows_and_their_values_and_is_zero_after_commit(state: TaskState) -> None:
    store = key_values(state)
    assert state.dirty_bytes == 0
    fill(store, {b"%04d" % number: "x" for number in range(1000)})
    small = state.dirty_bytes
    assert 50_000 < small < 1_000_000
    state.commit({})
    assert state.dirty_bytes == 0
    fill(store, {b"%04d" % number: "x" * 10_000 for number in range(1000)})
    assert state.dirty_bytes > 10_000_000


def test_in_memory_store_comes_back_empty_and_without_position(backend: Backend) -> None:
    specs = [COUNTS, type(COUNTS)("volatile", COUNTS.codec, persistent=False)]
    state = backend.open(specs)
    for name in ("counts", "volatile"):
        fill(key_values(state, name), {b"a": 1})
    state.commit({"counts": 5, "volatile": 6})
    assert values(key_values(state, "volatile").all()) == {b"a": 1}
    assert state.positions == {"counts": 5, "volatile": 6}
    state = backend.restart(specs)
    assert values(key_values(state, "volatile").all()) == {}
    assert values(key_values(state, "counts").all()) == {b"a": 1}
    assert state.positions == {"counts": 5}
