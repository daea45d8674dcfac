"""Events of two streams that are at most 5 s apart, on headrace."""

from __future__ import annotations

import sys
from datetime import timedelta

import msgspec

from streams import App, F, join_window


class Event(msgspec.Struct):
    user: str
    amount: float
    ts: int


class Cents(msgspec.Struct):
    user: str
    cents: int
    ts: int


def met(left: Event, right: Event) -> Cents:
    return Cents(left.user, int(left.amount * 100) + int(right.amount * 100), left.ts)


def declare(app: App, source: str, sink: str) -> None:
    left, right = (app.stream(topic, key=str, value=Event, timestamp=F.ts) for topic in source.split(","))
    left.join(right, met, windows=join_window(timedelta(seconds=5), grace=timedelta(seconds=1))).to(sink)


def main(bootstrap_servers: str, source: str, sink: str, group: str, state: str) -> None:
    app = App(group, bootstrap_servers=bootstrap_servers, state_dir=state)
    declare(app, source, sink)
    app.run()


if __name__ == "__main__":
    main(*sys.argv[1:6])
