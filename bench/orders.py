"""Orders, each with a key of its own, and the users who placed them."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from bench.events import FIRST_TIMESTAMP, Drawn
from bench.topics import Row
from bench.truth import Truth
from bench.users import user_rows


class Orders:
    """A topic of orders, `{"user", "amount", "ts"}` keyed by their number, and one of users keyed by theirs.

    No order changes: an answer that is on its way when its row changes is dropped, so how many results there are would
    depend on the moment.
    """

    def __init__(self, number: int, users: int) -> None:
        self.orders = Drawn(number, users, 7, FIRST_TIMESTAMP, 1)
        self.records = number
        self._users = users

    def topics(self) -> dict[str, Iterable[Row]]:
        encode = msgspec.json.Encoder().encode
        placed = ((f"o{i}", encode(order), order.ts) for i, order in enumerate(self.orders))
        return {"orders": placed, "users": user_rows(self._users)}

    def named(self) -> Truth:
        """Each order with its user, once."""
        return Truth(self.records, sum(order.cents for order in self.orders))
