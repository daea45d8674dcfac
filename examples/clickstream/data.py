"""An hour of clicks in a shop, made up with a seed."""

from __future__ import annotations

from random import Random

from examples.clickstream.app import Campaign, Click, Product
from examples.event import Event, milliseconds

BEGAN = milliseconds("2026-03-02 18:00")
SECOND = 1_000
PRODUCTS = {
    "p1": Product("Tent", "outdoor", 19_900),
    "p2": Product("Stove", "outdoor", 6_450),
    "p3": Product("Lamp", "home", 3_900),
    "p4": Product("Chair", "home", 8_900),
    "p5": Product("Kite", "toys", 2_490),
}
CAMPAIGNS = {
    "c1": Campaign("spring", "newsletter"),
    "c2": Campaign("outdoor week", "search ads"),
    "c3": Campaign("influencer", "video"),
}
BUYS = {"c1": 0.10, "c2": 0.22, "c3": 0.01, None: 0.06}
"""Which share of the clicks puts the product into the cart."""


def tables() -> list[Event]:
    products = [Event("products", key, product, BEGAN - SECOND) for key, product in PRODUCTS.items()]
    return products + [Event("campaigns", key, campaign, BEGAN - SECOND) for key, campaign in CAMPAIGNS.items()]


def clicks(seed: int = 2) -> list[Event]:
    """Some go to p6, which is sold out and gone; some come from c9, of which nobody knows."""
    random = Random(seed)
    found: list[Event] = []
    for number in range(1_500):
        (campaign,) = random.choices(["c1", "c2", "c3", "c9", None], [20, 15, 25, 1, 39])
        product = random.choice([*PRODUCTS, "p6"] if random.random() < 0.1 else list(PRODUCTS))
        action = "cart" if random.random() < BUYS.get(campaign, 0) else "view"
        at = BEGAN + int(number * 2.4 * SECOND)
        found.append(Event("clicks", f"visitor-{random.randint(1, 300)}", Click(product, action, campaign), at))
    return found


def events() -> list[Event]:
    return tables() + clicks()
