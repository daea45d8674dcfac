"""The small parts: key encodings, ranges, sorted keys, clean rows, merging."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stores import MISSING, Row
from stores.clean import CleanBudget, CleanRows
from stores.key_ranges import after, after_prefix
from stores.scan import Change, merged_rows
from stores.sorted_keys import DirtyKeys, SortedKeys
from stores.table import RowsCursor
from stores.timed_keys import SESSION_KEYS, WINDOW_KEYS, TimedKeys, changelog_from_local, segment_of, segment_prefix

KEYS = st.binary(max_size=4)
STARTS = st.integers(0, 2**63 - 1)


# Keys with a time


LAYOUTS = st.sampled_from([WINDOW_KEYS, SESSION_KEYS])
RANKS = st.integers(0, 2**32 - 1)


@given(keys=LAYOUTS, key=KEYS, time=STARTS, rank=RANKS, segment_ms=st.integers(1, 2**40))
def test_timed_keys_round_trip(keys: TimedKeys, key: bytes, time: int, rank: int, segment_ms: int) -> None:
    local = keys.local_key(key, time, rank, segment_ms)
    assert keys.split_local(local) == (key, time, rank)
    assert segment_of(local) == time // segment_ms
    assert local.startswith(segment_prefix(time // segment_ms))
    changelog = keys.changelog_key(key, time, rank)
    assert changelog_from_local(local) == changelog
    assert keys.local_from_changelog(changelog, segment_ms) == local
    assert keys.time_of(changelog) == time


@given(
    keys=LAYOUTS,
    key=KEYS,
    marks=st.lists(st.tuples(STARTS, RANKS), min_size=2, max_size=2),
    segment_ms=st.integers(1, 2**40),
)
def test_timed_keys_of_one_key_sort_by_time_and_rank(
    keys: TimedKeys, key: bytes, marks: list[tuple[int, int]], segment_ms: int
) -> None:
    made = [keys.local_key(key, *mark, segment_ms) for mark in marks]
    assert (made[0] < made[1]) == (marks[0] < marks[1])


@given(key=KEYS, start=STARTS, segment_ms=st.integers(1, 2**40))
def test_segment_prefix_sorts_before_its_rows_and_after_earlier_ones(key: bytes, start: int, segment_ms: int) -> None:
    local = WINDOW_KEYS.local_key(key, start, 0, segment_ms)
    segment = start // segment_ms
    assert segment_prefix(segment) <= local < segment_prefix(segment + 1)


@given(
    keys=LAYOUTS,
    key=st.binary(max_size=3) | st.sampled_from([b"a", b"a\x00", b"a\x00\x00\x00", b"a\x00\x00\x01"]),
    key_to=st.binary(max_size=3) | st.sampled_from([b"a\x00\x00\x00", b"a\x00\x00\x02", b"\xff\xff"]),
    time=STARTS | st.just(1_700_000_000_000),
    rank=RANKS,
)
def test_ends_of_key_ranges_sort_after_all_their_rows(
    keys: TimedKeys, key: bytes, key_to: bytes, time: int, rank: int
) -> None:
    row = keys.changelog_key(key, time, rank)
    assert row < keys.rows_end(key, time)
    if key <= key_to:
        assert key <= row < keys.keys_end(key_to)


def test_changelog_keys_have_the_layout_of_kafka_streams() -> None:
    window = WINDOW_KEYS.changelog_key(b"key", 1_700_000_000_000)
    assert window == bytes.fromhex("6b6579 0000018bcfe56800 00000000")
    session = SESSION_KEYS.changelog_key(b"key", 1_700_000_000_000, 1_699_999_999_999)
    assert session == bytes.fromhex("6b6579 0000018bcfe56800 0000018bcfe567ff")


# Ranges


@given(key=KEYS, other=KEYS)
def test_after_is_the_next_key(key: bytes, other: bytes) -> None:
    assert (other <= key) == (other < after(key))


@given(prefix=KEYS, other=KEYS)
def test_after_prefix_bounds_the_keys_with_the_prefix(prefix: bytes, other: bytes) -> None:
    upper = after_prefix(prefix)
    assert other.startswith(prefix) == (prefix <= other and (upper is None or other < upper))


# Sorted keys


@given(steps=st.lists(st.tuples(st.booleans(), st.sets(st.integers(0, 200), max_size=60)), max_size=8))
def test_sorted_keys_agree_with_a_set(steps: list[tuple[bool, set[int]]]) -> None:
    keys, model = SortedKeys[int](), set[int]()
    for adds, numbers in steps:
        if adds:
            keys.add(list(numbers - model))
            model |= numbers
        else:
            keys.remove(numbers & model)
            model -= numbers
        assert keys.keys == sorted(model)
        assert keys.between(50, 100) == sorted(number for number in model if 50 <= number < 100)
        assert keys.between(50, None) == sorted(number for number in model if number >= 50)


@given(
    steps=st.lists(
        st.tuples(st.sampled_from(["write", "look", "take", "clear"]), st.lists(st.integers(0, 99))), max_size=12
    )
)
def test_dirty_keys_follow_a_dict_that_others_write_to(steps: list[tuple[str, list[int]]]) -> None:
    rows: dict[int, str] = {}
    keys = DirtyKeys(rows)
    for step, numbers in steps:
        if step == "write":
            rows.update(dict.fromkeys(numbers, "row"))
        elif step == "clear":
            rows.clear()
            keys.clear()
        elif step == "take":
            taken = keys.take_through(30)
            assert taken == sorted(number for number in rows if number <= 30)
            for number in taken:
                del rows[number]
        else:
            assert keys.between(0, None) == sorted(rows)
            assert keys.between(20, 60) == sorted(number for number in rows if 20 <= number < 60)


# Merging


@given(
    committed=st.dictionaries(KEYS, st.integers(0, 9)),
    dirty=st.dictionaries(KEYS, st.none() | st.integers(0, 9)),
    reverse=st.booleans(),
)
def test_merged_rows_are_those_of_a_dict_with_the_changes_applied(
    committed: dict[bytes, int], dirty: dict[bytes, int | None], reverse: bool
) -> None:
    pairs = [(key, bytes([value])) for key, value in sorted(committed.items(), reverse=reverse)]
    changes: list[Change] = [
        (key, None if value is None else (value, 0)) for key, value in sorted(dirty.items(), reverse=reverse)
    ]
    merged = merged_rows("s", lambda local: (local[0], 0), RowsCursor(pairs), changes, reverse=reverse)
    expected = {key: value for key, value in {**committed, **dirty}.items() if value is not None}
    assert [(key, row[0]) for key, row in merged] == sorted(expected.items(), reverse=reverse)


# Clean rows


def clean_of(rows: int) -> CleanRows[bytes, Row]:
    """Clean rows with room for about so many."""
    clean = CleanRows[bytes, Row]()
    clean.weigh([50])
    CleanBudget(rows * clean.row_bytes).join(clean)
    return clean


def test_clean_rows_stay_within_their_number_and_keep_the_used_ones() -> None:
    clean = clean_of(100)
    clean.insert(b"used", ("u", 0), 50)
    for number in range(1000):
        clean.insert(b"%d" % number, (number, 0), 50)
        assert len(clean) <= 102
        row = clean.recent.get(b"used", MISSING)
        if row is MISSING:
            row = clean.revive(b"used")
        assert row == ("u", 0)
    assert clean.recent.get(b"0", MISSING) is MISSING
    assert clean.revive(b"0") is MISSING


def test_clean_rows_keep_their_dict() -> None:
    clean = clean_of(10)
    recent = clean.recent
    for number in range(100):
        clean.insert(b"%d" % number, None, 0)
    clean.absorb({b"x": None}, 0)
    clean.clear()
    assert clean.recent is recent
    assert len(clean) == 0


def test_absorbing_more_than_fits_keeps_the_last_ones() -> None:
    clean = clean_of(100)
    clean.absorb({b"%d" % number: (number, 0) for number in range(1000)}, 50 * 1000)
    assert len(clean) == 50
    assert clean.revive(b"999") == (999, 0)
    assert clean.revive(b"0") is MISSING


def test_larger_values_leave_room_for_fewer_rows() -> None:
    clean = clean_of(100)
    clean.absorb({b"%d" % number: (number, 0) for number in range(40)}, 40 * 50)
    assert len(clean) == 40
    clean.absorb({b"big": (0, 0)}, 100_000)
    assert len(clean) < 3


class Counted(CleanRows[bytes, Row]):
    """Counts how often it is given a budget."""

    __slots__ = ("budget_bytes", "times")

    def __init__(self) -> None:
        super().__init__()
        self.times = 0

    def set_budget(self, budget_bytes: int) -> None:
        self.times += 1
        self.budget_bytes = budget_bytes


def test_budget_of_many_stores_is_not_shared_anew_with_each_that_is_opened() -> None:
    budget = CleanBudget(1_000_000)
    members = [Counted() for _ in range(1_000)]
    for member in members:
        budget.join(member)
    assert sum(member.times for member in members) < 20 * len(members)
    assert 1_000_000 * 7 / 8 <= sum(member.budget_bytes for member in members) <= 1_000_000


def test_budget_is_shared_evenly_among_open_stores() -> None:
    budget = CleanBudget(1_000_000)
    members = [CleanRows[bytes, Row]() for _ in range(4)]
    for member in members:
        budget.join(member)
    for member in members:
        member.absorb({b"%d" % number: (number, 0) for number in range(5000)}, 5000 * 50)
    quarter = len(members[0])
    assert 250 < quarter < 700
    for member in members[1:]:
        budget.leave(member)
    members[0].absorb({b"%d" % number: (number, 0) for number in range(5000)}, 5000 * 50)
    assert len(members[0]) == pytest.approx(4 * quarter, abs=4)


def test_budget_of_nothing_keeps_nothing() -> None:
    clean = clean_of(0)
    clean.insert(b"a", (1, 1), 10)
    clean.absorb({b"b": (1, 1)}, 10)
    assert len(clean) == 0
