"""What a custom store has to do, as tests that run on yours:

    class TestMyStore(CustomKeyValueStoreContract):
        def make(self) -> MyStore:
            return MyStore()

pytest finds the tests in the class. The rules are those of `stores.custom`.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

from stores import (
    ChangelogRecord,
    CustomKeyValueStore,
    CustomSpec,
    CustomStore,
    HostedStore,
    MemoryDisk,
    MemoryTaskState,
)

NAME = "under-test"


class Host:
    """Keeps a store's rows, as a task does. `crash` opens it anew on what was committed."""

    def __init__(self, make: Any) -> None:
        self._spec = CustomSpec(name=NAME, make=make)
        self._disk = MemoryDisk()
        self._state = MemoryTaskState.open([self._spec], self._disk)
        self.log: list[ChangelogRecord] = []

    @property
    def store(self) -> Any:
        hosted = self._state.store(NAME)
        assert isinstance(hosted, HostedStore)
        return hosted.custom()

    def commit(self) -> list[ChangelogRecord]:
        """What went to the changelog."""
        records = list(self._state.pending(NAME))
        self.log += records
        self._state.commit({NAME: len(self.log)})
        return records

    def crash(self, *, lose_state: bool = False) -> None:
        self._state.close()
        if lose_state:
            self._disk = MemoryDisk()
        self._state = MemoryTaskState.open([self._spec], self._disk)
        position = self._state.positions.get(NAME, 0)
        self._state.restore(NAME, self.log[position:], len(self.log))

    def close(self) -> None:
        self._state.close()


def told(store: CustomStore) -> list[ChangelogRecord]:
    """A store's changes by key."""
    return sorted(store.changes(), key=lambda record: record[0])


class CustomStoreContract:
    """Give `make`, `write` and `observe`; the tests are inherited."""

    def make(self) -> CustomStore:
        """A new store, as the topology's factory makes it."""
        raise NotImplementedError("make() has to give a new store")

    def write(self, store: Any, step: int) -> None:
        """Changes the store by its own methods; the same for the same step (0, 1, …). Steps should overlap: set, change
        and delete what earlier ones set."""
        raise NotImplementedError("write(store, step) has to change the store")

    def observe(self, store: Any) -> Any:
        """All that can be asked of it, in a form that can be compared."""
        raise NotImplementedError("observe(store) has to tell what the store holds")

    STEPS = 20

    def test_new_store_has_nothing_to_commit(self) -> None:
        host = Host(self.make)
        assert host.store is not None
        assert host.commit() == []
        host.close()

    def test_changes_are_told_and_told_again_until_they_are_committed(self) -> None:
        host = Host(self.make)
        self.write(host.store, 0)
        first = told(host.store)
        assert first, "write(store, 0) has to leave something to commit"
        assert told(host.store) == first, "changes() must not change what it tells"
        host.commit()
        assert list(host.store.changes()) == [], "after committed() nothing is left to commit"
        host.close()

    def test_commit_changes_nothing_that_can_be_seen(self) -> None:
        host = Host(self.make)
        for step in range(self.STEPS):
            self.write(host.store, step)
            before = self.observe(host.store)
            host.commit()
            assert self.observe(host.store) == before
        host.close()

    def test_store_opened_on_its_rows_is_as_it_was_committed(self) -> None:
        host = Host(self.make)
        for step in range(self.STEPS):
            self.write(host.store, step)
            host.commit()
            committed = self.observe(host.store)
            host.crash()
            assert self.observe(host.store) == committed, f"differs after step {step} and a restart"
        host.close()

    def test_store_restored_from_its_changelog_is_as_it_was_committed(self) -> None:
        host = Host(self.make)
        for step in range(self.STEPS):
            self.write(host.store, step)
            host.commit()
        committed = self.observe(host.store)
        host.crash(lose_state=True)
        assert self.observe(host.store) == committed
        host.close()

    def test_what_was_not_committed_is_gone_after_a_crash(self) -> None:
        host = Host(self.make)
        self.write(host.store, 0)
        host.commit()
        committed = self.observe(host.store)
        for step in range(1, self.STEPS):
            self.write(host.store, step)
        host.crash()
        assert self.observe(host.store) == committed
        host.close()

    def test_open_again_forgets_what_was_there(self) -> None:
        """One object may be opened more than once."""
        host = Host(self.make)
        self.write(host.store, 0)
        store = host.store
        fresh = Host(self.make)
        empty = self.observe(fresh.store)
        store.open(_NoRows())
        assert self.observe(store) == empty
        assert list(store.changes()) == []
        host.close()
        fresh.close()

    def test_same_writes_give_the_same_changes(self) -> None:
        """No clock and no chance: a store elsewhere, on the same records, is the same."""
        changes: list[list[ChangelogRecord]] = []
        for _ in range(2):
            host = Host(self.make)
            for step in range(self.STEPS):
                self.write(host.store, step)
            changes.append(told(host.store))
            host.close()
        assert changes[0] == changes[1]


class CustomKeyValueStoreContract(CustomStoreContract):
    """For `CustomKeyValueStore`: only `make` has to be given."""

    def make(self) -> CustomKeyValueStore:
        """A new store, as the topology's factory makes it."""
        raise NotImplementedError("make() has to give a new store")

    def write(self, store: Any, step: int) -> None:
        random = Random(step)
        for _ in range(5):
            key = b"k%d" % random.randrange(12)
            store.put(key, None if random.random() < 0.3 else (b"v%d" % random.randrange(100), random.randrange(1000)))
        store.put(b"always", (b"%d" % step, step))

    def observe(self, store: Any) -> Any:
        return list(store.scan(b"", None))

    def test_get_gives_what_was_put_last_and_none_for_what_was_deleted(self) -> None:
        host = Host(self.make)
        model: dict[bytes, tuple[bytes, int]] = {}
        random = Random(1)
        for number in range(300):
            key = b"%d" % random.randrange(20)
            row = None if random.random() < 0.3 else (b"%d" % number, number)
            host.store.put(key, row)
            model.pop(key, None)
            if row is not None:
                model[key] = row
            if random.random() < 0.1:
                host.commit()
            if random.random() < 0.05:
                host.commit()
                host.crash()
            assert {k: host.store.get(k) for k in map(b"%d".__mod__, range(20))} == {
                k: model.get(k) for k in map(b"%d".__mod__, range(20))
            }
        host.close()

    def test_scan_goes_in_byte_order_between_its_bounds_both_ways(self) -> None:
        host = Host(self.make)
        keys = [b"b", b"", b"\xff\xff", b"a\x00", b"a", b"ab", b"\x00"]
        for number, key in enumerate(keys):
            host.store.put(key, (b"v", number))
            if number == 3:
                host.commit()
        for lower, upper in [(b"", None), (b"a", b"b"), (b"a\x00", None), (b"b", b"b"), (b"c", b"a")]:
            wanted = sorted(key for key in keys if lower <= key and (upper is None or key < upper))
            assert [key for key, _ in host.store.scan(lower, upper)] == wanted
            assert [key for key, _ in host.store.scan(lower, upper, reverse=True)] == wanted[::-1]
        host.close()

    def test_scan_shows_the_store_as_it_was_when_it_began(self) -> None:
        host = Host(self.make)
        for number in range(6):
            host.store.put(b"%d" % number, (b"v", number))
        seen: list[bytes] = []
        for key, _ in host.store.scan(b"", None):
            seen.append(key)
            host.store.put(key, None)
            host.store.put(b"9" + key, (b"new", 1))
        assert seen == [b"%d" % number for number in range(6)]
        assert [key for key, _ in host.store.scan(b"", None)] == [b"9%d" % number for number in range(6)]
        host.close()

    def test_delete_of_a_committed_row_is_told_to_the_changelog(self) -> None:
        host = Host(self.make)
        host.store.put(b"k", (b"v", 1))
        host.commit()
        host.store.put(b"k", None)
        assert [(key, value) for key, value, _ in host.commit()] == [(b"k", None)]
        host.close()


class _NoRows:
    """Committed rows of a store that has none."""

    def get(self, key: bytes) -> tuple[bytes, int] | None:
        return None

    def scan(self, lower: bytes = b"", upper: bytes | None = None) -> Iterator[tuple[bytes, bytes, int]]:
        return iter(())
