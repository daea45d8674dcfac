"""W1 on headrace."""

from __future__ import annotations

import sys

import msgspec

from streams import App, F


class Event(msgspec.Struct):
    user: str
    amount: float
    ts: int


class Cents(msgspec.Struct):
    user: str
    cents: int
    ts: int


def declare(app: App, source: str, sink: str) -> None:
    (
        app.stream(source, key=str, value=Event)
        .filter(F.amount >= 50)
        .map_values(lambda event: Cents(event.user, int(event.amount * 100), event.ts))
        .to(sink)
    )


def main(bootstrap_servers: str, source: str, sink: str, group: str, state: str) -> None:
    app = App(group, bootstrap_servers=bootstrap_servers, state_dir=state)
    declare(app, source, sink)
    app.run()


if __name__ == "__main__":
    main(*sys.argv[1:6])
