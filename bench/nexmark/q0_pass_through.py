"""Query 0: every bid as it is. What reading, checking and writing a record costs."""

from __future__ import annotations

from bench.nexmark.records import Bid
from streams import App, F


def declare(app: App, source: str, sink: str) -> None:
    app.stream(source, key=int, value=Bid, timestamp=F.date_time).to(sink)
