"""Query 4: what auctions of a category bring on average; one that is open, what it has brought so far."""

from __future__ import annotations

import msgspec

from bench.nexmark.records import Auction, Bid
from streams import App, F, count, sum_


class Offer(msgspec.Struct, frozen=True):
    """A bid, and what its auction says of it."""

    category: int
    price: int
    in_time: bool


class CategoryPrice(msgspec.Struct):
    auctions: int
    price: int


def offer(bid: Bid, auction: Auction) -> Offer:
    return Offer(auction.category, bid.price, auction.date_time <= bid.date_time <= auction.expires)


def higher(best: Offer, new: Offer) -> Offer:
    return new if new.price > best.price else best


def declare(app: App, source: str, sink: str) -> None:
    auction, bid = source.split(",")
    auctions = app.table(auction, key=int, value=Auction, timestamp=F.date_time, store="auctions")
    (
        app.stream(bid, key=int, value=Bid, timestamp=F.date_time)
        .join(auctions, offer)
        .filter(F.in_time)
        .group_by_key()
        .reduce(higher, store="closing-prices")
        .group_by(F.category)
        .aggregate(auctions=count(), total=sum_(F.price), store="category-totals")
        .map_values(lambda sums: CategoryPrice(sums.auctions, sums.total // sums.auctions))
        .to_stream()
        .to(sink)
    )
