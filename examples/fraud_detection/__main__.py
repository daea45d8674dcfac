"""A day of payments: `python -m examples.fraud_detection`."""

from __future__ import annotations

from examples.event import clock
from examples.fraud_detection.app import Alert, app
from examples.fraud_detection.data import events
from examples.playground import Playground


def main(bootstrap_servers: str | None = None) -> None:
    with Playground(app, bootstrap_servers=bootstrap_servers) as playground:
        number = playground.feed(events())
        seconds = playground.run()
        alerts = playground.read("fraud-alerts", Alert)
    print(f"{number} payments and changes of a day, {len(alerts)} alerts, in {seconds:.1f} s")
    for event in sorted(alerts, key=lambda event: event.timestamp):
        alert = event.value
        print(f"  {clock(event.timestamp)}  {alert.card}  {alert.kind:8}  {alert.cents / 100:9,.2f}  {alert.details}")


if __name__ == "__main__":
    main()
