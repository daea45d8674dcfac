"""Persons, auctions and bids as Nexmark's published generator deals them out.

Of 50 events in a row the first is a person, the next three are auctions, and 46 are bids; event `n` happens `n`
intervals after the first. Every kind has a stream of random numbers of its own, so that a query which reads bids alone
needs nothing else made. Numbers and ratios are the defaults of Apache Beam's generator, save that there 10,000 events
happen in a second and here 1,000: windows of 10 s are full of events all the same, and no two events have one time.
"""

from __future__ import annotations

import random
import string
from collections.abc import Iterator
from dataclasses import dataclass

from bench.nexmark.records import Auction, Bid, Person

FIRST_TIMESTAMP = 1_700_000_000_000
"""Ms since the epoch, where windows of 10 s begin."""
GROUP, PERSONS, AUCTIONS, BIDS = 50, 1, 3, 46
"""Events in a row, and how many of them are of each kind, in this order."""
FIRST_ID = 1_000
"""Of persons and of auctions."""
FIRST_CATEGORY, CATEGORIES = 10, 5
LEAD = 10
"""Ids may be named that many before they exist: records do not come in a perfect order."""
IN_FLIGHT = 100
"""Auctions that are open at a time, on average."""
HOT = 100
"""Every 100th auction, seller and bidder is hot, until the next one is."""
HOT_BIDS, HOT_BIDDERS, HOT_SELLERS = 2, 4, 4
"""Of so many, all but one go to the hot auction, are by the hot bidder, are by the hot seller."""
PERSON_BYTES, AUCTION_BYTES, BID_BYTES = 200, 500, 100
"""What a record takes on average, as Nexmark counts: the text in it, and 8 for each number."""

STATES = ("AZ", "CA", "ID", "OR", "WA", "WY")
CITIES = (
    "Phoenix",
    "Los Angeles",
    "San Francisco",
    "Boise",
    "Portland",
    "Bend",
    "Redmond",
    "Seattle",
    "Kent",
    "Cheyenne",
)
FIRST_NAMES = ("Peter", "Paul", "Luke", "John", "Saul", "Vicky", "Kate", "Julie", "Sarah", "Deiter", "Walter")
LAST_NAMES = ("Shultz", "Abrams", "Spencer", "White", "Bartels", "Walton", "Smith", "Jones", "Noris")


class Filler:
    """Text without a meaning, cut out of one long piece: drawing letters one by one would take most of the time."""

    def __init__(self, draw: random.Random) -> None:
        self._draw = draw.random
        self._text = "".join(draw.choices(string.ascii_lowercase + " ", k=4_096))

    def of(self, length: int) -> str:
        at = int(self._draw() * (len(self._text) - length))
        return self._text[at : at + length]

    def up_to(self, longest: int) -> str:
        """Three characters or more."""
        return self.of(3 + int(self._draw() * (longest - 2)))

    def rest(self, wanted: int, there: int) -> str:
        """So much that a record with `there` bytes has those `wanted`, give or take a fifth of what it adds."""
        missing = max(wanted - there, 0)
        spread = round(missing * 0.2)
        return self.of(missing - spread + int(self._draw() * 2 * spread))


@dataclass(frozen=True, slots=True)
class Generator:
    """Deterministic: the same events for the same numbers, and the first of many are those of few."""

    seed: int = 7
    active_people: int = 1_000
    """So many of the newest persons bid and sell."""
    interval_ms: int = 1

    def persons(self, events: int) -> Iterator[Person]:
        """Those among the first `events` events."""
        draw, filler = self._draws("person")
        for n in range(0, events, GROUP):
            name = f"{draw.choice(FIRST_NAMES)} {draw.choice(LAST_NAMES)}"
            address = f"{filler.up_to(7)}@{filler.up_to(5)}.com".replace(" ", "")
            card = " ".join(f"{draw.randrange(10_000):04}" for _ in range(4))
            city, state = draw.choice(CITIES), draw.choice(STATES)
            extra = filler.rest(PERSON_BYTES, 16 + len(name) + len(address) + len(card) + len(city) + len(state))
            yield Person(FIRST_ID + n // GROUP, name, address, card, city, state, self.timestamp(n), extra)

    def auctions(self, events: int) -> Iterator[Auction]:
        draw, filler = self._draws("auction")
        ahead = IN_FLIGHT * GROUP // AUCTIONS * self.interval_ms
        for first in range(PERSONS, events, GROUP):
            for n in range(first, min(first + AUCTIONS, events)):
                person = n // GROUP
                seller = person // HOT * HOT if draw.randrange(HOT_SELLERS) else self._person(draw, person)
                item, description = filler.up_to(20), filler.up_to(100)
                opened, initial = self.timestamp(n), price(draw)
                yield Auction(
                    id=FIRST_ID + newest_auction(n),
                    item_name=item,
                    description=description,
                    initial_bid=initial,
                    reserve=initial + price(draw),
                    date_time=opened,
                    expires=opened + 1 + int(draw.random() * max(2 * ahead, 1)),
                    seller=FIRST_ID + seller,
                    category=FIRST_CATEGORY + draw.randrange(CATEGORIES),
                    extra=filler.rest(AUCTION_BYTES, 56 + len(item) + len(description)),
                )

    def bids(self, events: int) -> Iterator[Bid]:
        draw, filler = self._draws("bid")
        for first in range(PERSONS + AUCTIONS, events, GROUP):
            for n in range(first, min(first + BIDS, events)):
                person, newest = n // GROUP, newest_auction(n)
                if draw.randrange(HOT_BIDS):
                    auction = newest // HOT * HOT
                else:
                    oldest = max(newest - IN_FLIGHT, 0)
                    auction = oldest + draw.randrange(newest - oldest + 1 + LEAD)
                bidder = person // HOT * HOT + 1 if draw.randrange(HOT_BIDDERS) else self._person(draw, person)
                yield Bid(
                    FIRST_ID + auction, FIRST_ID + bidder, price(draw), self.timestamp(n), filler.rest(BID_BYTES, 32)
                )

    def timestamp(self, n: int) -> int:
        """Of event `n`, ms since the epoch."""
        return FIRST_TIMESTAMP + n * self.interval_ms

    def _draws(self, kind: str) -> tuple[random.Random, Filler]:
        return random.Random(f"{self.seed} {kind}"), Filler(random.Random(f"{self.seed} text of {kind}"))

    def _person(self, draw: random.Random, newest: int) -> int:
        """One of the active persons, or one who comes soon."""
        active = min(newest + 1, self.active_people)
        return newest + 1 - active + draw.randrange(active + LEAD)


def newest_auction(n: int) -> int:
    """How many auctions were opened before the one that is the newest at event `n`, itself if it is one."""
    group, place = divmod(n, GROUP)
    if place < PERSONS:
        return group * AUCTIONS - 1
    return group * AUCTIONS + min(place - PERSONS, AUCTIONS - 1)


def price(draw: random.Random) -> int:
    """In cents, from 100 to 100 million; each power of ten is as likely as the next."""
    return round(10 ** (draw.random() * 6) * 100)
