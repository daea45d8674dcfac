"""What the topics of Nexmark hold: the people of an auction house, their auctions, and the bids."""

from __future__ import annotations

import msgspec


class Person(msgspec.Struct, rename="camel"):
    """Topic `person`, keyed by `id`. Somebody who has just signed up."""

    id: int
    name: str
    email_address: str
    credit_card: str
    city: str
    state: str
    date_time: int
    extra: str


class Auction(msgspec.Struct, rename="camel"):
    """Topic `auction`, keyed by `id`. Open from `date_time` to `expires`, both inclusive; amounts in cents."""

    id: int
    item_name: str
    description: str
    initial_bid: int
    reserve: int
    date_time: int
    expires: int
    seller: int
    category: int
    extra: str


class Bid(msgspec.Struct, rename="camel"):
    """Topic `bid`, keyed by `auction`. `price` in cents."""

    auction: int
    bidder: int
    price: int
    date_time: int
    extra: str
