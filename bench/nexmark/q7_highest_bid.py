"""Query 7: the highest bid of every ten seconds.

The highest of each auction is found where its bids are, and only that of windows that are over goes on to be compared
with the others.
"""

from __future__ import annotations

from datetime import timedelta

from bench.nexmark.records import Bid
from streams import App, F, Windowed, tumbling


def higher(best: Bid, new: Bid) -> Bid:
    """Of equal ones the first, in whatever order they are compared."""
    return new if (new.price, -new.date_time) > (best.price, -best.date_time) else best


def in_window(auction: Windowed[int], bid: Bid) -> tuple[int, Bid]:
    return auction.start, bid


def declare(app: App, source: str, sink: str) -> None:
    (
        app.stream(source, key=int, value=Bid, timestamp=F.date_time)
        .group_by_key()
        .windowed_by(tumbling(timedelta(seconds=10), grace=timedelta(0)), emit="close")
        .reduce(higher, store="highest-of-auctions")
        .to_stream()
        .map(in_window)
        .group_by_key()
        .reduce(higher, store="highest")
        .to_stream()
        .to(sink)
    )
