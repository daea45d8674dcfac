"""Query 5: the auctions with the most bids in ten seconds, every two seconds.

Each auction's bids are counted where they are, and only the counts of windows that are over go on to where they are
compared.
"""

from __future__ import annotations

from datetime import timedelta

import msgspec

from bench.nexmark.records import Bid
from streams import App, F, Windowed, hopping


class AuctionBids(msgspec.Struct):
    auction: int
    bids: int


class HotItems(msgspec.Struct):
    bids: int
    auctions: list[int]


def in_window(counted: Windowed[int], bids: int) -> tuple[int, AuctionBids]:
    return counted.start, AuctionBids(counted.key, bids)


def hottest(_start: int, auction: AuctionBids, hot: HotItems) -> HotItems:
    if auction.bids > hot.bids:
        return HotItems(auction.bids, [auction.auction])
    if auction.bids == hot.bids:
        return HotItems(hot.bids, [*hot.auctions, auction.auction])
    return hot


def declare(app: App, source: str, sink: str) -> None:
    (
        app.stream(source, key=int, value=Bid, timestamp=F.date_time)
        .group_by_key()
        .windowed_by(hopping(timedelta(seconds=10), timedelta(seconds=2), grace=timedelta(0)), emit="close")
        .count(store="bids")
        .to_stream()
        .map(in_window)
        .group_by_key()
        .aggregate(lambda: HotItems(0, []), hottest, store="hot-items")
        .to_stream()
        .to(sink)
    )
