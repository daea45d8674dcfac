"""A day of sixty cards, made up with a seed: everyday payments, honest changes of profiles, and three crimes."""

from __future__ import annotations

from random import Random

from examples.event import Event, milliseconds
from examples.fraud_detection.app import Payment, ProfileChange

MIDNIGHT = milliseconds("2026-03-02 00:00")
MINUTE = 60_000
SHOPS = ["bakery", "books", "grocer", "cinema", "trains", "chemist"]


def events(seed: int = 7) -> list[Event]:
    """In the order of time, which on a log of several writers is the order of arrival, more or less."""
    random = Random(seed)
    cards = [f"card-{number:02}" for number in range(60)]
    happened: list[Event] = []

    def pay(card: str, minute: float, cents: int, merchant: str) -> None:
        at = MIDNIGHT + int(minute * MINUTE)
        happened.append(Event("payments", card, Payment(card, cents, merchant), at))

    def change(card: str, minute: float, field: str) -> None:
        happened.append(Event("profile-changes", card, ProfileChange(card, field), MIDNIGHT + int(minute * MINUTE)))

    for card in cards:
        for _ in range(random.randint(5, 20)):
            pay(card, random.uniform(420, 1380), random.randint(250, 20_000), random.choice(SHOPS))
    for card in random.sample(cards, 12):  # honest: nothing large is bought soon after
        change(card, random.uniform(420, 1380), random.choice(["phone", "e-mail", "street"]))
    for card in random.sample(cards, 4):  # honest as well: somebody buys a sofa
        pay(card, random.uniform(600, 1200), random.randint(60_000, 90_000), "furniture")

    # The account of card-13 is taken over at 03:10, that of card-42 at 15:30; the second thief is in less of a hurry.
    change("card-13", 190, "phone")
    pay("card-13", 193, 119_900, "phones4you")
    pay("card-13", 199, 74_900, "jeweller")
    change("card-42", 930, "e-mail")
    pay("card-42", 941, 52_000, "gift cards")
    pay("card-42", 952, 90_000, "gift cards")  # 22 minutes after the change: too late to be noticed this way

    # card-27 is tried out at 04:00.
    for i in range(8):
        pay("card-27", 240 + i * 0.7, random.randint(50, 199), f"donation-{i % 3}")
    return sorted(happened, key=lambda event: event.timestamp)
