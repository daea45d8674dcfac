"""Half an hour of ten machines: `python -m examples.iot_monitoring`."""

from __future__ import annotations

from examples.event import clock
from examples.iot_monitoring.app import Alert, Reading, app
from examples.iot_monitoring.data import events
from examples.playground import Playground


def main(bootstrap_servers: str | None = None) -> None:
    with Playground(app, bootstrap_servers=bootstrap_servers) as playground:
        number = playground.feed(events())
        seconds = playground.run()
        alerts = playground.read("alerts", Alert)
        late = playground.read("late-readings", Reading)
    print(f"{number:,} readings, {len(alerts)} alerts, in {seconds:.1f} s")
    for event in sorted(alerts, key=lambda event: event.timestamp):
        print(f"  {clock(event.timestamp)}  {event.key:9} {event.value.kind:7} {event.value.details}")
    print(f"{len(late)} readings came too late for their minute, such as {late[0].key}'s of {clock(late[0].timestamp)}")


if __name__ == "__main__":
    main()
