"""W3 on headrace: each event with the name of its user."""

from __future__ import annotations

import sys

import msgspec

from streams import App


class Event(msgspec.Struct):
    user: str
    amount: float
    ts: int


class User(msgspec.Struct):
    name: str
    city: str


class Cents(msgspec.Struct):
    user: str
    cents: int
    ts: int


def named(event: Event, user: User) -> Cents:
    return Cents(user.name, int(event.amount * 100), event.ts)


def declare(app: App, source: str, sink: str) -> None:
    events, users = source.split(",")
    app.stream(events, key=str, value=Event).join(app.table(users, key=str, value=User, store="users"), named).to(sink)


def main(bootstrap_servers: str, source: str, sink: str, group: str, state: str) -> None:
    app = App(group, bootstrap_servers=bootstrap_servers, state_dir=state)
    declare(app, source, sink)
    app.run()


if __name__ == "__main__":
    main(*sys.argv[1:6])
