"""Forty orders of six customers, made up with a seed."""

from __future__ import annotations

from random import Random

from examples.event import Event, milliseconds
from examples.order_saga.messages import Customer, Item, Order, PaymentCommand, StockCommand

BEGAN = milliseconds("2026-03-02 10:00")
SECOND = 1_000
CUSTOMERS = {
    "u1": (Customer("Ann", "Utrecht"), 400_000),
    "u2": (Customer("Bo", "Berlin"), 400_000),
    "u3": (Customer("Cem", "Ghent"), 400_000),
    "u4": (Customer("Dora", "Lyon"), 400_000),
    "u5": (Customer("Eli", "Oslo"), 12_000),  # poor
    "u6": (Customer("Fay", "Porto"), 4_000),  # poorer
}
"""With the cents that they have deposited."""
ITEMS = {
    "i1": (Item("Kettle"), 3_000, 100),
    "i2": (Item("Toaster"), 4_500, 100),
    "i3": (Item("Signed guitar"), 25_000, 2),  # rare
}
"""With price in cents and how many there are."""
RICH = ["u1", "u2", "u3", "u4"]


def beginning() -> list[Event]:
    """Who there is and what there is, before the first order."""
    found: list[Event] = []
    for key, (customer, cents) in CUSTOMERS.items():
        found.append(Event("customers", key, customer, BEGAN))
        found.append(Event("payment-commands", key, PaymentCommand("deposit", cents), BEGAN))
    for key, (item, _, quantity) in ITEMS.items():
        found.append(Event("items", key, item, BEGAN))
        found.append(Event("stock-commands", key, StockCommand("delivery", quantity), BEGAN))
    return found


def orders(seed: int = 4) -> list[Event]:
    """Only the rich order what is rare: who gets money back does not need it for the next order, so that the end is the
    same however fast refunds are."""
    random = Random(seed)
    found: list[Event] = []
    for number in range(1, 41):
        customer = random.choice(list(CUSTOMERS))
        (item,) = random.choices(list(ITEMS), [5, 4, 3 if customer in RICH else 0])
        quantity = 1 if item == "i3" else random.randint(1, 2)
        order = Order(customer, item, quantity, quantity * ITEMS[item][1])
        found.append(Event("orders-placed", f"order-{number:02}", order, BEGAN + number * 20 * SECOND))
    return found


def move() -> Event:
    """Ann moves when all is over; her orders follow."""
    return Event("customers", "u1", Customer("Ann", "Rome"), BEGAN + 3_600 * SECOND)


def events() -> list[Event]:
    return [*beginning(), *orders(), move()]
