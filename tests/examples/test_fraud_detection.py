"""Frauds that were put into a day of payments."""

from __future__ import annotations

from itertools import groupby

import pytest

from examples.fraud_detection.__main__ import main
from examples.fraud_detection.app import Alert, app
from examples.fraud_detection.data import events
from tests.examples.conftest import Drive

MINUTE = 60_000


def takeovers() -> list[tuple[int, Alert]]:
    """Every change beside every payment."""
    changes = [event for event in events() if event.topic == "profile-changes" and event.value.field != "street"]
    payments = [event for event in events() if event.topic == "payments" and event.value.cents >= 50_000]
    return [
        (
            paid.timestamp,
            Alert(
                paid.key, "takeover", paid.value.cents, f"{paid.value.merchant} after a change of {changed.value.field}"
            ),
        )
        for changed in changes
        for paid in payments
        if paid.key == changed.key and 0 <= paid.timestamp - changed.timestamp <= 15 * MINUTE
    ]


def bursts() -> list[tuple[int, Alert]]:
    """Each card's payments in order, cut where nothing happens for more than two minutes."""
    found: list[tuple[int, Alert]] = []
    payments = sorted((event for event in events() if event.topic == "payments"), key=lambda e: (e.key, e.timestamp))
    for card, paid in groupby(payments, key=lambda event: event.key):
        burst = [next(paid)]
        for event in [*paid, None]:
            if event is not None and event.timestamp - burst[-1].timestamp <= 2 * MINUTE:
                burst.append(event)
                continue
            cents = [each.value.cents for each in burst]
            if len(burst) >= 5 and max(cents) <= 500:
                details = f"{len(burst)} payments, {len({each.value.merchant for each in burst})} merchants"
                found.append((burst[-1].timestamp, Alert(card, "testing", sum(cents), details)))
            burst = [event] if event is not None else []
    return found


def by_time(alerts: list[tuple[int, Alert]]) -> list[tuple[int, Alert]]:
    return sorted(alerts, key=lambda alert: alert[0])


def test_alerts_are_the_crimes_and_nothing_else(drive: Drive) -> None:
    """Honest changes, sofas and everyday payments raise none."""
    driver = drive(app, events())
    alerts = [(record.timestamp, record.value) for record in driver.output_topic("fraud-alerts").read_all()]
    assert by_time(alerts) == by_time(takeovers() + bursts())
    crimes = [(alert.card, alert.kind) for _, alert in by_time(alerts)]
    assert crimes == [("card-13", "takeover")] * 2 + [("card-27", "testing"), ("card-42", "takeover")]


def test_alerts_survive_a_crash(drive: Drive) -> None:
    """What waits in the join and in open sessions is restored from its changelogs."""
    some = events()
    middle = next(number for number, event in enumerate(some) if event.key == "card-27" and event.value.cents < 200) + 4
    driver = drive(app, some[:middle])
    driver.restart(lose_state=True)
    for event in some[middle:]:
        driver.input_topic(event.topic).pipe(event.value, key=event.key, timestamp=event.timestamp)
    alerts = [(record.timestamp, record.value) for record in driver.output_topic("fraud-alerts").read_all()]
    assert by_time(alerts) == by_time(takeovers() + bursts())


def test_run_on_a_broker_tells_the_alerts(bootstrap_servers: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A line for each."""
    main(bootstrap_servers)
    first, *lines = capsys.readouterr().out.splitlines()
    expected = [alert for _, alert in by_time(takeovers() + bursts())]
    assert f"{len(events())} payments and changes of a day, {len(expected)} alerts, in " in first
    assert [line.split()[1:3] for line in lines] == [[alert.card, alert.kind] for alert in expected]
    assert all(line.endswith(alert.details) for line, alert in zip(lines, expected))
