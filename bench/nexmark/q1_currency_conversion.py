"""Query 1: every bid with its price in another currency."""

from __future__ import annotations

from bench.nexmark.records import Bid
from streams import App, F


def in_euros(bid: Bid) -> Bid:
    return Bid(bid.auction, bid.bidder, bid.price * 89 // 100, bid.date_time, bid.extra)


def declare(app: App, source: str, sink: str) -> None:
    app.stream(source, key=int, value=Bid, timestamp=F.date_time).map_values(in_euros).to(sink)
