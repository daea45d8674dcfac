"""What was found in a data directory."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Severity = Literal["lost", "rebuilt", "note"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One place that is not as it was written, or not as a clean shutdown leaves it."""

    severity: Severity
    """"lost": records, or what was decided of them, are damaged or gone. "rebuilt": the next start makes the file anew
    from the records. "note": a crash leaves it so, and the next start puts it right."""
    path: Path
    position: int | None
    """In the file, in bytes; None: the file as a whole."""
    text: str
    """What is wrong, and what becomes of it."""

    @property
    def damage(self) -> bool:
        return self.severity != "note"


@dataclass(frozen=True, slots=True, kw_only=True)
class PartitionReport:
    """One partition that was looked through; sizes in bytes."""

    name: str
    segments: int
    size: int
    batches: int
    records: int
    start_offset: int
    end_offset: int
    findings: tuple[Finding, ...]
