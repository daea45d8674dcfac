"""Code that reads and writes the versions of an operator's versioned store, and forwards what changed."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from stores import REJECTED, KeyValueSpec, VersionedSpec
from streams.compile.chain import Chain
from streams.compile.clock import Clock, operator_clock
from streams.compile.scope import RecordScope
from streams.operators.held_changes import Present
from streams.operators.kept_rows import KeptRows
from streams.operators.table import Table


class VersionedRows(Struct, frozen=True):
    """The names under which generated code finds the versions of one store; to be used as `KeptRows` are.

    The store's clock is that of its operator: the largest timestamp put, held back by the watermark behind a
    repartition topic. It moves with each put and not between batches, for it decides what a put is too old for and
    what a reader finds.
    Source: `VersionedKeyValueStore` (KIP-889); what becomes of changes KIP-914.
    """

    get: str
    as_of: str
    put: str
    advance: str
    clock: Clock

    @classmethod
    def of(cls, chain: Chain, spec: VersionedSpec) -> VersionedRows:
        """Binds the names for the task, once for each store."""
        module = chain.module
        known = module.states.get((spec.name, "versions"))
        if known is None:
            keepers = [node for node in module.nodes if node.store is not None and node.store.name == spec.name]
            clock = operator_clock(chain, spec.name, *keepers)
            store = chain.of_task("versions", f"stores[{spec.name!r}]")
            module.advances.append(f"{store}.advance({clock.now})")
            known = module.states[spec.name, "versions"] = cls(
                chain.of_task("versions_get", f"{store}.get"),
                chain.of_task("versions_as_of", f"{store}.as_of"),
                chain.of_task("versions_put", f"{store}.put"),
                chain.of_task("versions_advance", f"{store}.advance"),
                clock,
            )
        return known

    def write_look_up(self, chain: Chain, kb: str, as_of: str | None = None) -> str:
        """Code that reads the version of a key that is not null, the latest or that of a time in ms; the local that
        holds it."""
        row = chain.local("row")
        chain.line(f"{row} = {self.get}({kb})" if as_of is None else f"{row} = {self.as_of}({kb}, {as_of})")
        return row

    def write_change(
        self,
        chain: Chain,
        table: Table,
        scope: RecordScope,
        kb: str,
        *,
        before: str | None,
        now: str,
        present: Present | None = None,
        changed_at: str | None = None,
    ) -> None:
        """Code that puts the row `now` as the version of the time of `scope` and forwards `scope`, unless the version
        is older than the history.

        A change is forwarded even if it is not the key's latest version, and says so in `scope.latest`. It is never
        held back for the commit, so that `changed_at` is of no use.
        """
        time, row, ends = scope.timestamp, chain.local("version"), chain.local("ends")
        with chain.block(f"if {time} > {self.clock.time}:"):
            chain.line(f"{self.clock.time} = {time}")
            if self.clock.now == self.clock.time:
                chain.line(f"{self.advance}({time})")
        if self.clock.now != self.clock.time:  # a watermark may have moved it, too
            chain.line(f"{self.advance}({self.clock.now})")
        chain.line(f"{row} = {now}")
        chain.line(f"{ends} = {self.put}({kb}, {row} and {row}[0], {time})")
        with chain.block(f"if {ends} == {REJECTED}:"):
            chain.line("counters.dropped_late += 1")
        with chain.block("else:"):
            latest = chain.local("latest")
            chain.line(f"{latest} = {ends} == -1")
            chain.forward(table, replace(scope, latest=latest))


def rows_of(chain: Chain, spec: KeyValueSpec | VersionedSpec, hint: str = "rows") -> KeptRows | VersionedRows:
    """What reads and writes the rows of a table's store."""
    return VersionedRows.of(chain, spec) if isinstance(spec, VersionedSpec) else KeptRows.of(chain, spec, hint)
