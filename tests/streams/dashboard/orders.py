"""A small application with everything the pages show: two sub-topologies, stores, and records that fail."""

from __future__ import annotations

from datetime import timedelta

import msgspec

from streams import App, F, count, mean, tumbling
from tests.streams.runtime.bench import Bench


class Order(msgspec.Struct):
    user: str
    amount: float


def refuse_free(order: Order) -> Order:
    if order.amount == 0:
        raise ValueError("an order for nothing")
    return order


def orders(bench: Bench) -> App:
    app = App(bench.tag)
    found = app.stream(bench.name("in"), key=str, value=Order).map_values(refuse_free, name="check")
    found.group_by_key().count(store="per-shop")
    found.group_by(F.user).windowed_by(tumbling(timedelta(hours=1), grace=timedelta(0))).aggregate(
        n=count(), average=mean(F.amount), store="hourly"
    ).to_stream().to(bench.name("out"))
    return app


def order(shop: str, user: str, amount: float) -> tuple[str, bytes, int]:
    return shop, msgspec.json.encode(Order(user, amount)), 1_767_268_800_000
