"""Forty orders through three services: `python -m examples.order_saga`."""

from __future__ import annotations

from collections import Counter
from itertools import chain

from examples.order_saga import app as ordering
from examples.order_saga import payments, stock
from examples.order_saga.app import Overview
from examples.order_saga.data import CUSTOMERS, beginning, move, orders
from examples.playground import Playground


def main(bootstrap_servers: str | None = None) -> None:
    apps = ordering.app, payments.app, stock.app
    with Playground(*apps, bootstrap_servers=bootstrap_servers) as playground:
        playground.feed([*beginning(), *orders()])
        seconds = playground.run()
        before = {event.key: event.value for event in playground.read("order-overview", Overview)}
        playground.feed([move()])
        playground.run()
        after = {event.key: event.value for event in playground.read("order-overview", Overview)}
        with payments.app.store("balances").all() as rows:
            left = sum(cents for _, cents in rows)

    states = Counter(order.state for _, order in sorted(after.items()))
    told = ", ".join(f"{number} {state}" for state, number in states.most_common())
    print(f"{len(after)} orders through three services in {seconds:.1f} s: {told}")
    print("  ORDER     STATE      CUSTOMER        ITEM                   PRICE")
    shown = [[row for row in sorted(after.items()) if row[1].state == state][:4] for state in sorted(states)]
    for key, order in chain.from_iterable(shown):
        who, what = f"{order.name}, {order.city}", f"{order.quantity} {order.title}"
        print(f"  {key}  {order.state:9}  {who:14}  {what:18}  {order.cents / 100:8.2f}")
    moved = [key for key, order in after.items() if order != before[key]]
    print(f"Ann has moved to Rome, and {len(moved)} orders of hers with her: {', '.join(moved[:3])} ...")
    paid = sum(order.cents for order in after.values() if order.state == "confirmed")
    deposited = sum(cents for _, cents in CUSTOMERS.values())
    spent = f"{paid / 100:,.2f} paid for confirmed orders + {left / 100:,.2f} left"
    print(f"money: {deposited / 100:,.2f} deposited = {spent}")


if __name__ == "__main__":
    main()
