"""Query 2: the bids on some auctions, their price alone."""

from __future__ import annotations

import msgspec

from bench.nexmark.records import Bid
from streams import App, F


class AuctionPrice(msgspec.Struct):
    auction: int
    price: int


def declare(app: App, source: str, sink: str) -> None:
    (
        app.stream(source, key=int, value=Bid, timestamp=F.date_time)
        .filter(F.auction % 123 == 0)
        .map_values(lambda bid: AuctionPrice(bid.auction, bid.price))
        .to(sink)
    )
