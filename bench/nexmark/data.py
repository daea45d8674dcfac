"""The topics of a Nexmark query, as much of them as it takes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal

import msgspec

from bench.nexmark.generator import AUCTIONS, BIDS, GROUP, PERSONS, Generator
from bench.nexmark.records import Auction, Bid, Person
from streams.serde import Integer

Topic = Literal["person", "auction", "bid"]
OF_GROUP = {"person": PERSONS, "auction": AUCTIONS, "bid": BIDS}

KeyedRow = tuple[bytes, bytes, int]
"""Key (a long, as Kafka's own serializer writes it), value (JSON), timestamp."""


class NexmarkData:
    """So many records in the named topics together, in the proportions of the whole, for so many active people.

    Queries are told of the topics in the order given here.
    """

    def __init__(self, records: int, people: int, *topics: Topic) -> None:
        of_group = sum(OF_GROUP[topic] for topic in topics)
        self.events = -(-records // of_group) * GROUP
        """Those that happened in the same time, of all kinds: whole groups."""
        self.records = self.events // GROUP * of_group
        self.generator = Generator(active_people=people)
        self._topics = topics

    def topics(self) -> dict[str, Iterable[KeyedRow]]:
        return {topic: self._rows(topic) for topic in self._topics}

    def persons(self) -> Iterator[Person]:
        return self.generator.persons(self.events)

    def auctions(self) -> Iterator[Auction]:
        return self.generator.auctions(self.events)

    def bids(self) -> Iterator[Bid]:
        return self.generator.bids(self.events)

    def _rows(self, topic: Topic) -> Iterator[KeyedRow]:
        encode, key = msgspec.json.Encoder().encode, Integer().serialize
        if topic == "bid":
            return ((key(bid.auction), encode(bid), bid.date_time) for bid in self.bids())
        entries = self.persons() if topic == "person" else self.auctions()
        return ((key(entry.id), encode(entry), entry.date_time) for entry in entries)
