"""Payments that look like fraud, in two ways.

    profile-changes ─┐
                     ├─> join within 15 min ─> TAKEOVER ─────────────────────────────┐
    payments ────────┤                                                               ├─> fraud-alerts
                     └─> sessions of a card ─> closed ─> many small ones ─> TESTING ─┘
                         [bursts]

Who has taken over an account first changes its phone number and then spends: a large payment within a quarter of an
hour after a change is suspicious. That is a join of two streams, each pair of records that lie close enough in time.

Who has bought stolen card numbers tries them out with small payments, one after the other: that is a session, records
of a card with no more than two minutes between them. It is judged once, when it is over.

    python -m examples.fraud_detection            a day of payments; three cards are being misused

or live:

    headrace dev examples/fraud_detection/app.py:app
    headrace produce profile-changes '{"card": "c1", "field": "phone"}' --key c1
    headrace produce payments '{"card": "c1", "cents": 89900, "merchant": "phones4you"}' --key c1
    headrace consume fraud-alerts
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec

from streams import App, F, Windowed, count, distinct, join_window, max_, session, sum_

LARGE = 50_000
"""Cents of a payment that somebody may have taken the account over for."""
SMALL = 500
"""Cents of a payment that nobody notices."""
MANY = 5


class Payment(msgspec.Struct):
    card: str
    cents: int
    merchant: str


class ProfileChange(msgspec.Struct):
    card: str
    field: str


class Alert(msgspec.Struct):
    card: str
    kind: str
    cents: int
    details: str


def takeover(change: ProfileChange, payment: Payment) -> Alert:
    return Alert(payment.card, "takeover", payment.cents, f"{payment.merchant} after a change of {change.field}")


def testing(burst: Windowed[str], seen: Any) -> tuple[str, Alert]:
    """The alert goes out under the card, not under the session, for those who look up or block the card."""
    details = f"{seen.payments} payments, {len(seen.merchants)} merchants"
    return burst.key, Alert(burst.key, "testing", seen.cents, details)


app = App("fraud-detection")

payments = app.stream("payments", key=str, value=Payment)
changes = app.stream("profile-changes", key=str, value=ProfileChange)

takeovers = changes.filter(F.field.is_in(["phone", "e-mail"])).join(
    payments.filter(F.cents >= LARGE),
    takeover,
    # The payment may come up to 15 minutes after the change, but not before it.
    windows=join_window(timedelta(0), timedelta(minutes=15), grace=timedelta(minutes=1)),
    store="changes-and-payments",
)

tests = (
    payments.group_by_key()
    # "close": a session is told once, when it is over, so that each burst gives one alert and not one per payment.
    .windowed_by(session(timedelta(minutes=2), grace=timedelta(seconds=30)), emit="close")
    .aggregate(
        payments=count(),
        cents=sum_(F.cents),
        largest=max_(F.cents),
        merchants=distinct(F.merchant, limit=100),
        store="bursts",
    )
    .to_stream()
    .filter((F.payments >= MANY) & (F.largest <= SMALL))
    .map(testing)
)

takeovers.merge(tests).to("fraud-alerts")

if __name__ == "__main__":
    app.run()
