"""Events, and a table of the users whose they are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from bench.events import FIRST_TIMESTAMP, Drawn, rows
from bench.topics import Row
from bench.truth import Truth


class User(msgspec.Struct):
    name: str
    city: str


def user_rows(users: int) -> Iterator[Row]:
    """A row for each user, older than all events."""
    encode = msgspec.json.Encoder().encode
    return ((f"u{i}", encode(User(f"name of {i}", "town")), FIRST_TIMESTAMP - 1) for i in range(users))


class EventsOfUsers:
    """A topic of events, one each millisecond, and one of users; both keyed by the user's number."""

    def __init__(self, number: int, users: int) -> None:
        self.events = Drawn(number, users, 7, FIRST_TIMESTAMP, 1)
        self.records = number
        self._users = users

    def topics(self) -> dict[str, Iterable[Row]]:
        return {"events": rows(self.events), "users": user_rows(self._users)}

    def named(self) -> Truth:
        """Each event with its user, once."""
        return Truth(self.records, sum(event.cents for event in self.events))
