"""Query 6: what a seller's last ten auctions brought on average, told whenever one closes.

When an auction closes, its own records say; no window does. So a processor keeps the best offers for open auctions.
"""

from __future__ import annotations

import heapq

import msgspec

from bench.nexmark.records import Auction, Bid
from streams import App, F, Processor, ProcessorContext, Record, Stores

LAST = 10


class Offer(msgspec.Struct):
    """A bid, and what its auction says of it."""

    price: int
    seller: int
    expires: int
    in_time: bool


class Sale(msgspec.Struct):
    expires: int
    auction: int
    price: int
    seller: int


class SellerPrice(msgspec.Struct):
    price: int


open_auctions = Stores.key_value("open-auctions", key=int, value=Offer)


class Closing(Processor[int, Offer, int, Sale]):
    """Keeps the best offer for each auction, and forwards the sale when time has passed the auction's end."""

    def init(self, context: ProcessorContext[int, Sale]) -> None:
        super().init(context)
        self.best = context.store(open_auctions)
        with self.best.all() as entries:
            self.ends = [(offer.expires, auction) for auction, offer in entries]
        heapq.heapify(self.ends)

    def process(self, record: Record[int, Offer]) -> None:
        while self.ends and self.ends[0][0] < record.timestamp:
            self.close_auction(*heapq.heappop(self.ends))
        offer = record.value
        if not offer.in_time:
            return
        best = self.best.get(record.key)
        if best is None:
            heapq.heappush(self.ends, (offer.expires, record.key))
        if best is None or offer.price > best.price:
            self.best.put(record.key, offer)

    def close_auction(self, expires: int, auction: int) -> None:
        offer = self.best.delete(auction)
        self.context.forward(Record(auction, Sale(expires, auction, offer.price, offer.seller), expires))


def offer(bid: Bid, auction: Auction) -> Offer:
    in_time = auction.date_time <= bid.date_time <= auction.expires
    return Offer(bid.price, auction.seller, auction.expires, in_time)


def last_ten(_seller: int, sale: Sale, sales: list[Sale]) -> list[Sale]:
    """By the time they closed: they come from several tasks, in any order."""
    return sorted([*sales, sale], key=lambda each: (each.expires, each.auction))[-LAST:]


def average(sales: list[Sale]) -> SellerPrice:
    return SellerPrice(sum(sale.price for sale in sales) // len(sales))


def declare(app: App, source: str, sink: str) -> None:
    auction, bid = source.split(",")
    auctions = app.table(auction, key=int, value=Auction, timestamp=F.date_time, store="auctions")
    (
        app.stream(bid, key=int, value=Bid, timestamp=F.date_time)
        .join(auctions, offer)
        .process(Closing, stores=[open_auctions])
        .group_by(F.seller)
        .aggregate(list, last_ten, value=list[Sale], store="last-sales")
        .map_values(average)
        .to_stream()
        .to(sink)
    )
