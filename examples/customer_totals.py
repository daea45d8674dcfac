"""What each customer has spent: a left join with a table that may not know the customer yet, then a reduce.

headrace dev examples/customer_totals.py:app
headrace produce customers '{"name": "Ann", "country": "NL"}' --key c1
headrace produce orders '{"customer": "c1", "cents": 1250}' --key c1
headrace consume totals
"""

from __future__ import annotations

import msgspec

from streams import App


class Customer(msgspec.Struct):
    name: str
    country: str


class Order(msgspec.Struct):
    customer: str
    cents: int


class Total(msgspec.Struct):
    name: str
    cents: int


def with_name(order: Order, customer: Customer | None) -> Total:
    return Total(customer.name if customer else "unknown", order.cents)


def add(total: Total, order: Total) -> Total:
    return Total(order.name, total.cents + order.cents)


app = App("customer-totals")

customers = app.table("customers", key=str, value=Customer)
(
    app.stream("orders", key=str, value=Order)
    .left_join(customers, with_name)
    .group_by_key()
    .reduce(add, store="totals")
    .to_stream()
    .to("totals")
)

if __name__ == "__main__":
    app.run()
