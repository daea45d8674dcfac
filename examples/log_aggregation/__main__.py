"""Forty minutes of access logs: `python -m examples.log_aggregation`."""

from __future__ import annotations

from examples.event import clock
from examples.log_aggregation.app import Health, app
from examples.log_aggregation.data import events
from examples.playground import Playground


def main(bootstrap_servers: str | None = None) -> None:
    with Playground(app, bootstrap_servers=bootstrap_servers) as playground:
        number = playground.feed(events())
        seconds = playground.run()
        healths = [event.value for event in playground.read("service-health", Health)]
        alerts = [event.value for event in playground.read("error-alerts", Health)]
    print(f"{number:,} lines, {len(healths)} windows of three services, in {seconds:.1f} s")
    print("checkout, five minutes each:")
    print("  FROM      REQUESTS  ERRORS   RATE     P95")
    for health in healths:
        if health.service == "checkout" and "09:10" <= clock(health.start) < "09:20":
            told = f"{health.requests:8}  {health.errors:6}  {health.error_rate:5.1%}  {health.p95_ms:4.0f}ms"
            print(f"  {clock(health.start)}  {told}  {'▇' * round(health.error_rate * 100)}")
    for alert in alerts:
        print(f"alert: {alert.service}, {alert.error_rate:.1%} errors in the five minutes from {clock(alert.start)}")


if __name__ == "__main__":
    main()
