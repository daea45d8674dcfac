"""The records of each user so far, on headrace."""

from __future__ import annotations

import sys

import msgspec

from streams import App, F, count


class Event(msgspec.Struct):
    user: str
    amount: float
    ts: int


def declare(app: App, source: str, sink: str) -> None:
    (
        app.stream(source, key=str, value=Event, timestamp=F.ts)
        .group_by_key()
        .aggregate(count=count(), store="counts")
        .to_stream()
        .to(sink)
    )


def main(bootstrap_servers: str, source: str, sink: str, group: str, state: str) -> None:
    app = App(group, bootstrap_servers=bootstrap_servers, state_dir=state)
    declare(app, source, sink)
    app.run()


if __name__ == "__main__":
    main(*sys.argv[1:6])
