"""A table of orders, each joined with its user, on headrace."""

from __future__ import annotations

import sys

import msgspec

from streams import App, F


class Order(msgspec.Struct):
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


def named(order: Order, user: User) -> Cents:
    return Cents(user.name, int(order.amount * 100), order.ts)


def declare(app: App, source: str, sink: str) -> None:
    orders, users = source.split(",")
    (
        app.table(orders, key=str, value=Order, store="orders")
        .join(app.table(users, key=str, value=User, store="users"), named, foreign_key=F.user)
        .to_stream()
        .to(sink)
    )


def main(bootstrap_servers: str, source: str, sink: str, group: str, state: str) -> None:
    app = App(group, bootstrap_servers=bootstrap_servers, state_dir=state)
    declare(app, source, sink)
    app.run()


if __name__ == "__main__":
    main(*sys.argv[1:6])
