"""Query 3: who sells something of category 10 in Oregon, Idaho or California, once both are there."""

from __future__ import annotations

import msgspec

from bench.nexmark.records import Auction, Person
from streams import App, F


class LocalItem(msgspec.Struct):
    name: str
    city: str
    state: str
    auction: int


def offered(auction: Auction, seller: Person) -> LocalItem:
    return LocalItem(seller.name, seller.city, seller.state, auction.id)


def declare(app: App, source: str, sink: str) -> None:
    person, auction = source.split(",")
    sellers = (
        app.stream(person, key=int, value=Person, timestamp=F.date_time)
        .filter(F.state.is_in(("OR", "ID", "CA")))
        .to_table(store="local-sellers")
    )
    items = (
        app.stream(auction, key=int, value=Auction, timestamp=F.date_time)
        .filter(F.category == 10)
        .to_table(store="items")
    )
    items.join(sellers, offered, foreign_key=F.seller).to_stream().to(sink)
