"""A day of a shop's database as Debezium would tell it, made up with a seed."""

from __future__ import annotations

from random import Random
from typing import Any

import msgspec

from examples.change_data_capture.app import Change, Customer, Id, Order
from examples.event import Event, milliseconds

BEGAN = milliseconds("2026-03-02 00:00")
MINUTE = 60_000
NAMES = ["Ann", "Bo", "Cem", "Dora", "Eli", "Fay", "Gus", "Hana", "Ivo", "Jun", "Kai", "Lou"]
COUNTRIES = ["NL", "DE", "FR", "BE"]


class Database:
    """Two tables, and the log of their changes."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[int, Any]] = {"customers": {}, "orders": {}}
        self.log: list[Event] = []

    def put(self, table: str, row: Customer | Order, at: int, *, snapshot: bool = False) -> None:
        before = self.rows[table].get(row.id)
        self.rows[table][row.id] = row
        op = "r" if snapshot else "u" if before else "c"
        self._write(table, row.id, Change(op=op, before=before, after=row), at)

    def delete(self, table: str, row_id: int, at: int) -> None:
        before = self.rows[table].pop(row_id)
        self._write(table, row_id, Change(op="d", before=before), at)
        self._write(table, row_id, None, at)

    def _write(self, table: str, row_id: int, change: Change[Any] | None, at: int) -> None:
        self.log.append(Event(f"shop.public.{table}", Id(row_id), change, at))


def events(seed: int = 9) -> list[Event]:
    """First what was there, then a change a minute: orders come, change and are cancelled, customers move and leave."""
    random = Random(seed)
    shop = Database()
    for number, name in enumerate(NAMES[:8], 1):
        shop.put("customers", Customer(number, name, random.choice(COUNTRIES)), BEGAN, snapshot=True)
    customers, orders = shop.rows["customers"], shop.rows["orders"]
    for minute in range(1, 600):
        at = BEGAN + minute * MINUTE
        what = random.random()
        if what < 0.6:
            order = Order(minute, random.choice(list(customers)), random.randint(500, 20_000))
            shop.put("orders", order, at)
        elif what < 0.75 and orders:
            order = random.choice(list(orders.values()))
            shop.put("orders", msgspec.structs.replace(order, cents=random.randint(500, 20_000)), at)
        elif what < 0.92 and orders:
            shop.delete("orders", random.choice(list(orders)), at)
        elif what < 0.97:
            customer = random.choice(list(customers.values()))
            shop.put("customers", msgspec.structs.replace(customer, country=random.choice(COUNTRIES)), at)
        elif what < 0.985 and len(customers) > 5:  # with all of their orders, as a foreign key in the database asks for
            leaving = random.choice(list(customers))
            for order_id in [order.id for order in orders.values() if order.customer_id == leaving]:
                shop.delete("orders", order_id, at)
            shop.delete("customers", leaving, at)
        else:
            number = 100 + minute
            shop.put("customers", Customer(number, random.choice(NAMES), random.choice(COUNTRIES)), at)
    return shop.log
