"""What can go wrong with state, cut by what the caller must do.

StoreError
├── StoreClosedError       the state was closed; open it again
├── StateLockedError       another process or task holds the directory; retriable
├── StateVersionError      written by a newer headrace; upgrade or restore from the changelog
├── StateMismatchError     the directory holds another kind of store under this name
├── StoreCorruptError      damaged files; delete the directory, the changelog restores it
├── RowDecodeError         a committed row does not decode with the store's codec
├── RowEncodeError         a new row does not encode with the store's codec
├── ChangelogRecordError   a changelog record is not of this store
└── UnknownStoreError      no store of that name in this task
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar


class StoreError(Exception):
    """Root of this package's errors. `retriable`: the same call may succeed later without any change."""

    retriable: ClassVar[bool] = False


class StoreClosedError(StoreError):
    """A store, scan or reader was used after its task state was closed."""

    def __init__(self, place: str) -> None:
        super().__init__(f"state of {place} is closed: open it again before reading or writing")
        self.place = place


class StateLockedError(StoreError):
    """The task's directory is open elsewhere, in another process or in this one."""

    retriable: ClassVar[bool] = True

    def __init__(self, place: str, detail: str) -> None:
        super().__init__(
            f"state directory {place} is in use by another process or task: wait until it is released, "
            f"or give each worker its own state directory ({detail})"
        )
        self.place = place
        self.detail = detail


class StateVersionError(StoreError):
    """The directory has an on-disk format that this version does not know."""

    def __init__(self, place: str, found: int, supported: int) -> None:
        super().__init__(
            f"state directory {place} has format {found}, this headrace reads up to format {supported}: "
            "upgrade headrace, or delete the directory to restore it from the changelogs"
        )
        self.place = place
        self.found = found
        self.supported = supported


class StateMismatchError(StoreError):
    """A store of this name exists on disk with another layout."""

    def __init__(self, place: str, store: str, found: str, wanted: str) -> None:
        super().__init__(
            f"store {store!r} in {place} was written as a {found} store, the topology now has a {wanted} store: "
            "rename the store, or reset the application's state"
        )
        self.place = place
        self.store = store
        self.found = found
        self.wanted = wanted


class StateFullError(StoreError):
    """The disk has no room for what was to be written. Nothing of it was; what a changelog has is not lost."""

    def __init__(self, place: str, detail: str) -> None:
        super().__init__(
            f"no space left for state directory {place} ({detail}): make room on its disk, or choose another state "
            "directory, and start again; what is missing there is read back from the changelogs"
        )
        self.place = place
        self.detail = detail


class StoreCorruptError(StoreError):
    """Files of the state directory are damaged or missing."""

    def __init__(self, place: str, detail: str) -> None:
        super().__init__(
            f"state directory {place} is damaged: {detail}. Delete the directory; the changelogs restore it"
        )
        self.place = place
        self.detail = detail


class RowDecodeError(StoreError):
    """A committed row cannot be read with the store's codec; `__cause__` is the codec's error."""

    def __init__(self, store: str, key: bytes, cause: Exception) -> None:
        super().__init__(
            f"store {store!r}, key {key!r}: the stored value does not decode ({type(cause).__name__}: {cause}). "
            "If the value's type has changed, give new fields defaults, rename the store, or reset the application"
        )
        self.store = store
        self.key = key


class RowEncodeError(StoreError):
    """A new row cannot be written with the store's codec; `__cause__` is the codec's error."""

    def __init__(self, store: str, key: bytes, cause: Exception) -> None:
        super().__init__(
            f"store {store!r}, key {key!r}: the new value does not encode ({type(cause).__name__}: {cause}). "
            "Return a value that fits the store's value serde"
        )
        self.store = store
        self.key = key


class ChangelogRecordError(StoreError):
    """A record given to restore has a key that this store cannot have written."""

    def __init__(self, store: str, key: bytes, detail: str) -> None:
        super().__init__(
            f"store {store!r}: changelog record with key {key!r} is not of this store ({detail}). "
            "Check that the changelog topic belongs to this store and was not written by another program"
        )
        self.store = store
        self.key = key


class UnknownStoreError(StoreError):
    """No store of that name was opened."""

    def __init__(self, name: str, known: Iterable[str]) -> None:
        names = ", ".join(sorted(known)) or "none"
        super().__init__(f"no store {name!r} in this task; it has: {names}")
        self.name = name
