"""Orders through three services."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from examples.event import Event
from examples.order_saga import app as ordering
from examples.order_saga import payments, stock
from examples.order_saga.__main__ import main
from examples.order_saga.data import CUSTOMERS, ITEMS, beginning, move, orders
from streams.testing import TopologyTestDriver

APPS = ordering.app, payments.app, stock.app
BETWEEN = ("payment-commands", "payment-results", "stock-commands", "stock-results")
"""Topics that one service writes and another one reads."""


class Services:
    """The three of them, each in its driver; what one says is told to the others until there is nothing more to say."""

    def __init__(self, drivers: list[TopologyTestDriver]) -> None:
        self.orders, self.payments, self.stock = drivers
        self._readers = {
            topic: (driver, driver.input_topic(topic))
            for app, driver in zip(APPS, drivers)
            for topic in app.plan().source_topics()
        }

    def feed(self, event: Event) -> None:
        self._readers[event.topic][1].pipe(event.value, key=event.key, timestamp=event.timestamp)
        while said := [
            (topic, record)
            for topic in BETWEEN
            for driver in (self.orders, self.payments, self.stock)
            if driver is not self._readers[topic][0]
            for record in driver.output_topic(topic).read_all()
        ]:
            for topic, record in said:
                self._readers[topic][1].pipe(record.value, key=record.key, timestamp=record.timestamp)


@pytest.fixture
def services() -> Iterator[Services]:
    with ExitStack() as drivers:
        yield Services([drivers.enter_context(TopologyTestDriver(app)) for app in APPS])


def ends() -> tuple[dict[str, str], dict[str, int], dict[str, int]]:
    """How each order ends, what each customer has left, and what there is of each item: one order after the other."""
    money = {customer: cents for customer, (_, cents) in CUSTOMERS.items()}
    there = {item: quantity for item, (_, _, quantity) in ITEMS.items()}
    states: dict[str, str] = {}
    for event in orders():
        order = event.value
        if money[order.customer] < order.cents:
            states[event.key] = "rejected"
        elif there[order.item] < order.quantity:
            states[event.key] = "cancelled"
        else:
            money[order.customer] -= order.cents
            there[order.item] -= order.quantity
            states[event.key] = "confirmed"
    return states, money, there


def test_every_order_comes_to_its_end(services: Services) -> None:
    """Confirmed, rejected for lack of money, or cancelled with the money back; nothing is lost on the way."""
    for event in [*beginning(), *orders()]:
        services.feed(event)
    states, money, there = ends()
    assert {key: saga.state for key, (saga, _) in services.orders.rows("sagas").items()} == states
    assert {key: cents for key, (cents, _) in services.payments.rows("balances").items()} == money
    assert {key: quantity for key, (quantity, _) in services.stock.rows("shelves").items()} == there
    assert set(states.values()) == {"confirmed", "rejected", "cancelled"}


def test_overview_follows_customers_who_move(services: Services) -> None:
    """Every order of theirs, whatever its state, and no other."""
    for event in [*beginning(), *orders()]:
        services.feed(event)
    services.orders.output_topic("order-overview").read_all()
    services.feed(move())
    changed = {record.key: record.value for record in services.orders.output_topic("order-overview").read_all()}
    assert set(changed) == {event.key for event in orders() if event.value.customer == "u1"}
    assert {(row.name, row.city) for row in changed.values()} == {("Ann", "Rome")}
    titles = {event.key: ITEMS[event.value.item][0].title for event in orders()}
    rows = services.orders.rows("order-overview")
    assert {key: row.title for key, (row, _) in rows.items()} == titles


def test_service_that_crashes_charges_nobody_twice(services: Services) -> None:
    """Each service is restarted, without its disk, in the midst of the orders."""
    for number, event in enumerate([*beginning(), *orders()]):
        services.feed(event)
        if number % 7 == 0:
            for driver in (services.orders, services.payments, services.stock):
                driver.restart(lose_state=True)
    states, money, _ = ends()
    assert {key: saga.state for key, (saga, _) in services.orders.rows("sagas").items()} == states
    assert {key: cents for key, (cents, _) in services.payments.rows("balances").items()} == money


def test_run_on_a_broker_tells_how_orders_ended(bootstrap_servers: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Three workers at once; what was paid and what is left make what was deposited."""
    main(bootstrap_servers)
    first, _, *lines, moved, money = capsys.readouterr().out.splitlines()
    states, left, _ = ends()
    assert first.startswith("40 orders through three services in ")
    assert first.endswith(
        ": " + ", ".join(f"{number} {state}" for state, number in Counter(states.values()).most_common())
    )
    assert [line.split()[:2] for line in lines] == [
        [key, shown]
        for shown in ("cancelled", "confirmed", "rejected")
        for key in sorted(key for key, state in states.items() if state == shown)[:4]
    ]
    anns = [event.key for event in orders() if event.value.customer == "u1"]
    assert moved.startswith(f"Ann has moved to Rome, and {len(anns)} orders of hers with her: ")
    deposited = sum(cents for _, cents in CUSTOMERS.values())
    paid = sum(event.value.cents for event in orders() if states[event.key] == "confirmed")
    assert paid + sum(left.values()) == deposited
    assert money == (
        f"money: {deposited / 100:,.2f} deposited = {paid / 100:,.2f} paid for confirmed orders "
        f"+ {sum(left.values()) / 100:,.2f} left"
    )
