"""Query 8: who opened an auction in the same ten seconds in which they signed up; for each such auction."""

from __future__ import annotations

from datetime import timedelta

import msgspec

from bench.nexmark.records import Auction, Person
from streams import App, F, join_window

WINDOW = timedelta(seconds=10)
WINDOW_MS = WINDOW // timedelta(milliseconds=1)


class NewSeller(msgspec.Struct):
    id: int
    name: str
    reserve: int
    joined: int
    opened: int


def new_seller(person: Person, auction: Auction) -> NewSeller:
    return NewSeller(person.id, person.name, auction.reserve, person.date_time, auction.date_time)


def declare(app: App, source: str, sink: str) -> None:
    person, auction = source.split(",")
    by_seller = app.stream(auction, key=int, value=Auction, timestamp=F.date_time).select_key(F.seller)
    (
        app.stream(person, key=int, value=Person, timestamp=F.date_time)
        .join(by_seller, new_seller, windows=join_window(WINDOW, grace=timedelta(seconds=1)), store="new-sellers")
        .filter(F.joined // WINDOW_MS == F.opened // WINDOW_MS)
        .to(sink)
    )
