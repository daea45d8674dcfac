"""Two tables of the newest event of each user, joined, every update emitted, on headrace."""

from __future__ import annotations

import sys

import msgspec

from streams import App


class Event(msgspec.Struct):
    user: str
    amount: float
    ts: int


class Cents(msgspec.Struct):
    user: str
    cents: int
    ts: int


def both(left: Event, right: Event) -> Cents:
    return Cents(left.user, int(left.amount * 100) + int(right.amount * 100), left.ts)


def declare(app: App, source: str, sink: str) -> None:
    left, right = source.split(",")
    (
        app.table(left, key=str, value=Event, store="left")
        .join(app.table(right, key=str, value=Event, store="right"), both)
        .to_stream()
        .to(sink)
    )


def main(bootstrap_servers: str, source: str, sink: str, group: str, state: str) -> None:
    app = App(group, bootstrap_servers=bootstrap_servers, state_dir=state)
    declare(app, source, sink)
    app.run()


if __name__ == "__main__":
    main(*sys.argv[1:6])
