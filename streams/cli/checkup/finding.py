"""One thing that was looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["ok", "warning", "failure"]


@dataclass(frozen=True, slots=True)
class Finding:
    """`text` says what is there; `cure`, where there is something to do, what to do."""

    verdict: Verdict
    subject: str
    text: str
    cure: str | None = None
