"""A morning of twelve users, made up with a seed."""

from __future__ import annotations

from random import Random

from examples.event import Event, milliseconds
from examples.page_views.app import User, View

BEGAN = milliseconds("2026-03-02 07:00")
MINUTE = 60_000
NAMES = ["Ann", "Bo", "Cem", "Dora", "Eli", "Fay", "Gus", "Hana", "Ivo", "Jun"]
COUNTRIES = ["NL", "DE", "FR"]
PAGES = ["/home", "/news", "/search", "/item/17", "/item/42", "/cart", "/order"]


def events(seed: int = 5) -> list[Event]:
    """Users first, then views in the order of arrival: one in thirty is three minutes late. The last two users have not
    signed up. At half past twelve a visit begins that is not over when the data end."""
    random = Random(seed)
    users = [f"u{number}" for number in range(1, len(NAMES) + 3)]
    known = [
        Event("users", user, User(name, random.choice(COUNTRIES)), BEGAN - MINUTE) for user, name in zip(users, NAMES)
    ]
    arriving: list[tuple[float, Event]] = []
    for user in users:
        minute = random.uniform(0, 60)
        while minute < 270:  # a visit, then a pause of three quarters of an hour at least
            for page in ["/home", *random.choices(PAGES, k=random.randint(1, 9))]:
                at = BEGAN + int(minute * MINUTE)
                late = 3 * MINUTE if random.random() < 1 / 30 else 0
                arriving.append((at + late, Event("views", user, View(page, at), at)))
                minute += random.expovariate(1 / 2)
            minute += random.uniform(45, 120)
    last = BEGAN + 330 * MINUTE
    arriving.append((last, Event("views", "u1", View("/home", last), last)))
    return known + [event for _, event in sorted(arriving, key=lambda pair: pair[0])]
