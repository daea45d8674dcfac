"""What the three services tell each other. Each message is keyed by whom it is for: an order, a customer, an item."""

from __future__ import annotations

from typing import Literal

import msgspec


class Order(msgspec.Struct):
    """On `orders-placed`, by order."""

    customer: str
    item: str
    quantity: int
    cents: int


class PaymentCommand(msgspec.Struct):
    """On `payment-commands`, by customer. A deposit belongs to no order."""

    kind: Literal["deposit", "charge", "refund"]
    cents: int
    order: str = ""


class PaymentResult(msgspec.Struct):
    """On `payment-results`, by order."""

    outcome: Literal["charged", "declined", "refunded"]


class StockCommand(msgspec.Struct):
    """On `stock-commands`, by item. A delivery belongs to no order."""

    kind: Literal["delivery", "reserve"]
    quantity: int
    order: str = ""


class StockResult(msgspec.Struct):
    """On `stock-results`, by order."""

    outcome: Literal["reserved", "sold out"]


class Customer(msgspec.Struct):
    """On `customers`, by customer."""

    name: str
    city: str


class Item(msgspec.Struct):
    """On `items`, by item."""

    title: str
