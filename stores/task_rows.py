"""The task's own rows, in a table beside its stores.

key                       value
"format"                  on-disk format, 4 bytes big-endian
"store:"    + store name  layout, text: the kind, and "segment_ms=N" where there are segments
"position:" + store name  next changelog offset to restore from, 8 bytes big-endian
"clock:"    + store name  the clock of a store with retention, ms, 8 bytes big-endian
"metadata:" + name        whatever the runtime keeps with its task (operator clocks, watermarks)
"""

from __future__ import annotations

from collections.abc import Mapping
from struct import Struct
from typing import Final

from stores.errors import StateMismatchError, StateVersionError, StoreCorruptError
from stores.row import TIMESTAMP
from stores.specs import SegmentedSpec, StoreSpec
from stores.table import Database, Writer

FORMAT: Final = 1
FORMAT_KEY: Final = b"format"
VERSION: Final = Struct(">I")
STORE: Final = b"store:"
POSITION: Final = b"position:"
CLOCK: Final = b"clock:"
METADATA: Final = b"metadata:"


class TaskRows:
    """The rows as committed, held in memory. Mappings are replaced, never changed, so any thread may read them."""

    def __init__(self, database: Database) -> None:
        """Reads the rows. Raises StateVersionError, StoreCorruptError."""
        self._place = database.place
        self._layouts: dict[str, str] = {}
        self.positions: Mapping[str, int] = {}
        self.metadata: Mapping[str, bytes] = {}
        self.clocks: Mapping[str, int] = {}
        rows = dict(database.rows.scan(b"", None))
        self.is_new = not rows
        if not self.is_new:
            self._check_format(rows.pop(FORMAT_KEY, None))
            self._layouts = {name: layout.decode() for name, layout in under(rows, STORE).items()}
            self.positions = {name: TIMESTAMP.unpack(row)[0] for name, row in under(rows, POSITION).items()}
            self.clocks = {name: TIMESTAMP.unpack(row)[0] for name, row in under(rows, CLOCK).items()}
            self.metadata = under(rows, METADATA)

    @property
    def stores(self) -> frozenset[str]:
        """The stores that have been opened here, ever."""
        return frozenset(self._layouts)

    def segment_ms(self, spec: StoreSpec) -> int | None:
        """The segment a store was created with, which holds for its life; None for new stores and those without.

        Raises StateMismatchError if the store on disk is of another kind.
        """
        layout = self._layouts.get(spec.name)
        if layout is None:
            return None
        kind, _, detail = layout.partition(" ")
        if kind != spec.kind:
            raise StateMismatchError(self._place, spec.name, kind, spec.kind)
        return int(detail.removeprefix("segment_ms=")) if detail else None

    def write_layouts(self, writer: Writer, specs: list[StoreSpec]) -> None:
        """Writes the format, and the layout of stores that are new here."""
        writer.put(FORMAT_KEY, VERSION.pack(FORMAT))
        for spec in specs:
            if spec.name not in self._layouts:
                layout = spec.kind
                if isinstance(spec, SegmentedSpec):
                    layout += f" segment_ms={spec.segment_interval_ms}"
                self._layouts[spec.name] = layout
                writer.put(STORE + spec.name.encode(), layout.encode())

    def write(
        self,
        writer: Writer,
        *,
        positions: Mapping[str, int],
        clocks: Mapping[str, int],
        metadata: Mapping[str, bytes | None],
    ) -> None:
        """Writes what is new among these; None deletes a metadata row."""
        for name, position in positions.items():
            if self.positions.get(name) != position:
                writer.put(POSITION + name.encode(), TIMESTAMP.pack(position))
        for name, clock in clocks.items():
            if self.clocks.get(name) != clock:
                writer.put(CLOCK + name.encode(), TIMESTAMP.pack(clock))
        for name, row in metadata.items():
            if row is None:
                writer.delete(METADATA + name.encode())
            elif self.metadata.get(name) != row:
                writer.put(METADATA + name.encode(), row)

    def written(
        self, *, positions: Mapping[str, int], clocks: Mapping[str, int], metadata: Mapping[str, bytes | None]
    ) -> None:
        """These are committed."""
        self.positions = {**self.positions, **positions}
        self.clocks = {**self.clocks, **clocks}
        rows = {**self.metadata, **metadata}
        self.metadata = {name: row for name, row in rows.items() if row is not None}

    def _check_format(self, row: bytes | None) -> None:
        if row is None or len(row) != VERSION.size:
            raise StoreCorruptError(self._place, "the format row is missing or malformed")
        found = VERSION.unpack(row)[0]
        if found > FORMAT:
            raise StateVersionError(self._place, found, FORMAT)


def under(rows: Mapping[bytes, bytes], prefix: bytes) -> dict[str, bytes]:
    """The rows whose key begins with `prefix`, by the rest of the key."""
    return {key[len(prefix) :].decode(): row for key, row in rows.items() if key.startswith(prefix)}
