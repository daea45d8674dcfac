"""Three services that bring an order to its end together, or take back what was done: a saga.

    orders-placed ────┐                        ┌─ placed ────> charge ──┐
    payment-results ──┼─> saga of the order ───┼─ sold out ──> refund ──┴─> payment-commands ─> (payments.py)
    stock-results ────┘   [sagas]    │         └─ paid ──────> reserve ───> stock-commands ───> (stock.py)
                                     │
    customers ──(foreign key)──────> join ──> join <──(foreign key)── items
                                               └──> order-overview

Money and stock belong to different services, so no transaction of a database spans both. Each service does its step
in a transaction of its own and says what came of it; when a later step fails, the earlier one is compensated: the
money goes back. Exactly once, which is the default, is what makes that safe: a charge that is sent twice is money
lost.

This service keeps the saga of each order, a small state machine, and derives from each change what is to be done
next. Beside it, it keeps an overview for people, with the customer's name and the item's title as they are now: when
a customer moves, all of their orders follow. That is a join of tables by a foreign key.

    python -m examples.order_saga                 forty orders; some customers are poor, some items rare

or live, each service in a terminal of its own:

    headrace dev examples/order_saga/app.py:app
    headrace dev examples/order_saga/payments.py:app
    headrace dev examples/order_saga/stock.py:app
    headrace produce customers '{"name": "Ann", "city": "Utrecht"}' --key u1
    headrace produce items '{"title": "Kettle"}' --key i1
    headrace produce orders-placed '{"customer": "u1", "item": "i1", "quantity": 1, "cents": 3000}' --key o1
    headrace query order-overview o1              rejected: Ann has deposited nothing
"""

from __future__ import annotations

import msgspec

from examples.order_saga.messages import (
    Customer,
    Item,
    Order,
    PaymentCommand,
    PaymentResult,
    StockCommand,
    StockResult,
)
from streams import App, F

AFTER = {
    "charged": "paid",
    "declined": "rejected",
    "reserved": "confirmed",
    "sold out": "sold out",
    "refunded": "cancelled",
}
"""The order's state after an outcome. `rejected`, `confirmed` and `cancelled` are final."""


class Saga(msgspec.Struct):
    state: str
    order: Order


class NamedOrder(msgspec.Struct):
    """With the customer as they are now, still without the item's title."""

    state: str
    name: str
    city: str
    order: Order


class Overview(msgspec.Struct):
    state: str
    name: str
    city: str
    title: str
    quantity: int
    cents: int


def begun() -> Saga:
    """Before the first message of an order, which is that it was placed."""
    return Saga("new", Order("", "", 0, 0))


def placed(order_id: str, order: Order, saga: Saga) -> Saga:
    return Saga("placed", order)


def answered(order_id: str, result: PaymentResult | StockResult, saga: Saga) -> Saga:
    return Saga(AFTER[result.outcome], saga.order)


def charge(order_id: str, saga: Saga) -> tuple[str, PaymentCommand]:
    return saga.order.customer, PaymentCommand("charge", saga.order.cents, order_id)


def refund(order_id: str, saga: Saga) -> tuple[str, PaymentCommand]:
    return saga.order.customer, PaymentCommand("refund", saga.order.cents, order_id)


def reserve(order_id: str, saga: Saga) -> tuple[str, StockCommand]:
    return saga.order.item, StockCommand("reserve", saga.order.quantity, order_id)


def named(saga: Saga, customer: Customer) -> NamedOrder:
    return NamedOrder(saga.state, customer.name, customer.city, saga.order)


def overview(row: NamedOrder, item: Item) -> Overview:
    return Overview(row.state, row.name, row.city, item.title, row.order.quantity, row.order.cents)


app = App("order-saga-orders")

orders = app.stream("orders-placed", key=str, value=Order)
payments = app.stream("payment-results", key=str, value=PaymentResult)
stock = app.stream("stock-results", key=str, value=StockResult)
customers = app.table("customers", key=str, value=Customer)
items = app.table("items", key=str, value=Item)

sagas = (
    orders.group_by_key()
    .cogroup(placed)
    .cogroup(payments.group_by_key(), answered)
    .cogroup(stock.group_by_key(), answered)
    .aggregate(begun, store="sagas")
)

steps = sagas.to_stream()
steps.filter(F.state == "placed").map(charge).to("payment-commands")
steps.filter(F.state == "paid").map(reserve).to("stock-commands")
steps.filter(F.state == "sold out").map(refund).to("payment-commands")

(
    sagas.join(customers, named, foreign_key=lambda saga: saga.order.customer, name="customer-of-order")
    .join(items, overview, foreign_key=F.order.item, store="order-overview")
    .to_stream()
    .to("order-overview")
)

if __name__ == "__main__":
    app.run()
