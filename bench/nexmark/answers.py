"""What Nexmark's queries must answer, worked out in plain Python over all events at once.

An answer is the number of records that come out, and a number for each key. Queries 0 to 3 and 8 only ever add records:
the number is a sum over those of the key. The others update what they said, and the newest is what stays; how many
updates there are is known too, and does not hang on the moment. Amounts are in cents, times in ms.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from bench.nexmark.data import NexmarkData
from bench.nexmark.records import Auction, Bid
from bench.topics import PARTITIONS
from streams.partitioner import KeyPartitions
from streams.serde import Integer

WINDOW_MS, ADVANCE_MS = 10_000, 2_000
LOCAL_CATEGORY, LOCAL_STATES = 10, ("OR", "ID", "CA")
LAST = 10


@dataclass(frozen=True, slots=True)
class Answer:
    records: int
    by_key: Mapping[int, int]

    @property
    def total(self) -> int:
        return sum(self.by_key.values())


class Oracle:
    """Answers for the data in topics of so many partitions, each with a time of its own."""

    def __init__(self, data: NexmarkData, partitions: int = PARTITIONS) -> None:
        self.data = data
        self._places = KeyPartitions("", lambda _: partitions)

    def pass_through(self) -> Answer:
        """Prices of the bids on an auction."""
        return summed((bid.auction, bid.price) for bid in self.data.bids())

    def currency_conversion(self) -> Answer:
        """Prices of the bids on an auction."""
        return summed((bid.auction, bid.price * 89 // 100) for bid in self.data.bids())

    def selection(self) -> Answer:
        """Prices of the bids on an auction."""
        return summed((bid.auction, bid.price) for bid in self.data.bids() if bid.auction % 123 == 0)

    def local_items(self) -> Answer:
        """Of each auction, its own id."""
        local = {person.id for person in self.data.persons() if person.state in LOCAL_STATES}
        return summed(
            (auction.id, auction.id)
            for auction in self.data.auctions()
            if auction.category == LOCAL_CATEGORY and auction.seller in local
        )

    def category_prices(self) -> Answer:
        """Average of the highest bids, by category; an update with each bid that counts."""
        highest: dict[int, int] = {}
        records = 0
        auctions = self._auctions()
        for bid in self._bids_in_time(auctions):
            highest[bid.auction] = max(bid.price, highest.get(bid.auction, 0))
            records += 1
        prices: dict[int, list[int]] = defaultdict(list)
        for id, price in highest.items():
            prices[auctions[id].category].append(price)
        return Answer(records, {category: sum(each) // len(each) for category, each in prices.items()})

    def hot_items(self) -> Answer:
        """Most bids on an auction, by the start of the window; an update with each auction of each window that is
        over."""
        counts: Counter[tuple[int, int]] = Counter()
        for bid in self.data.bids():
            newest = bid.date_time - bid.date_time % ADVANCE_MS
            for start in range(newest, newest - WINDOW_MS, -ADVANCE_MS):
                counts[bid.auction, start] += 1
        return self._greatest(counts)

    def seller_prices(self) -> Answer:
        """Average of the last ten sales, by seller; an update with each auction that closed with a bid."""
        auctions = self._auctions()
        highest: dict[int, int] = {}
        for bid in self._bids_in_time(auctions):
            highest[bid.auction] = max(bid.price, highest.get(bid.auction, 0))
        times = self._times(met=auctions)
        closed = [auctions[id] for id in highest if auctions[id].expires < times[self._partition(id)]]
        sales: dict[int, list[int]] = defaultdict(list)
        for auction in sorted(closed, key=lambda each: (each.expires, each.id)):
            sales[auction.seller].append(highest[auction.id])
        return Answer(len(closed), {seller: sum(each[-LAST:]) // len(each[-LAST:]) for seller, each in sales.items()})

    def highest_bid(self) -> Answer:
        """Prices by the start of the window; an update with each auction of each window that is over."""
        highest: dict[tuple[int, int], int] = {}
        for bid in self.data.bids():
            of = bid.auction, bid.date_time - bid.date_time % WINDOW_MS
            highest[of] = max(bid.price, highest.get(of, 0))
        return self._greatest(highest)

    def new_sellers(self) -> Answer:
        """Reserves of a seller's auctions."""
        joined = {person.id: person.date_time for person in self.data.persons()}
        return summed(
            (auction.seller, auction.reserve)
            for auction in self.data.auctions()
            if joined.get(auction.seller, -1) // WINDOW_MS == auction.date_time // WINDOW_MS
        )

    def _auctions(self) -> dict[int, Auction]:
        return {auction.id: auction for auction in self.data.auctions()}

    def _bids_in_time(self, auctions: Mapping[int, Auction]) -> Iterator[Bid]:
        """Those that were placed while their auction was open."""
        for bid in self.data.bids():
            auction = auctions.get(bid.auction)
            if auction is not None and auction.date_time <= bid.date_time <= auction.expires:
                yield bid

    def _greatest(self, of_auctions: Mapping[tuple[int, int], int]) -> Answer:
        """Of what auctions have by window, the greatest of each window that is over where the auction's bids are."""
        times = self._times()
        records = 0
        greatest: dict[int, int] = {}
        for (auction, start), number in of_auctions.items():
            if start + WINDOW_MS <= times[self._partition(auction)]:
                greatest[start] = max(number, greatest.get(start, 0))
                records += 1
        return Answer(records, greatest)

    def _times(self, met: Mapping[int, Auction] | None = None) -> dict[int, int]:
        """The time of the newest bid of each partition; with auctions, of the newest that met its auction there."""
        times: dict[int, int] = {}
        for bid in self.data.bids():
            if met is None or (bid.auction in met and met[bid.auction].date_time <= bid.date_time):
                times[self._partition(bid.auction)] = bid.date_time
        return times

    def _partition(self, id: int) -> int:
        return self._places[Integer().serialize(id)]


def summed(numbers: Iterable[tuple[int, int]]) -> Answer:
    """Where each record adds a number to what its key has."""
    records, sums = 0, Counter[int]()
    for key, number in numbers:
        records += 1
        sums[key] += number
    return Answer(records, sums)
