"""Alerts from machines' sensors: too hot for a whole minute, or not heard of any more.

                ┌─> minutes ──> mean, max ──> suppress until closed ──> above 80 °C ──┐
    readings ───┤               [minutes]                                             ├──> alerts
                │   └─> too late for its minute ──> late-readings                     │
                └─> Watchdog: silent for 3 min, back again ───────────────────────────┘
                    [last-heard]

One hot reading says little, a hot minute does. Readings come out of order, by radio, so a minute is judged once, when
no reading can belong to it any more: at its end and ten seconds of grace. Readings that come later still are not
lost, they go to a topic of their own.

A sensor that is silent sends no record on which anything could happen. A processor remembers when it heard of each,
and looks around every 30 seconds: of event time, so that a replay of last week raises last week's alarms.

    python -m examples.iot_monitoring             half an hour of ten machines; one overheats, one falls silent

or live:

    headrace dev examples/iot_monitoring/app.py:app
    headrace produce readings '{"sensor": "press-1", "celsius": 91.5}' --key press-1
    headrace consume alerts
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec

from streams import (
    App,
    F,
    Processor,
    ProcessorContext,
    Record,
    Stores,
    Windowed,
    count,
    max_,
    mean,
    tumbling,
    until_window_closes,
)

HOT = 80.0
SILENT_MS = 180_000


class Reading(msgspec.Struct):
    sensor: str
    celsius: float


class Alert(msgspec.Struct):
    sensor: str
    kind: str
    details: str


last_heard = Stores.key_value("last-heard", key=str, value=int)
"""Of each sensor the time of its newest reading, ms; negated while its silence has been told."""


class Watchdog(Processor[str, Reading, str, Alert]):
    """Says once that a sensor is silent, and once that it is back."""

    def init(self, context: ProcessorContext[str, Alert]) -> None:
        super().init(context)
        self.last_heard = context.store(last_heard)
        context.schedule(timedelta(seconds=30), "stream_time", self.look_around)

    def process(self, record: Record[str, Reading]) -> None:
        before = self.last_heard.get(record.key) or 0
        if before < 0:
            self.tell(record.key, record.timestamp, "back", f"after {(record.timestamp + before) // 1000} s")
        self.last_heard.put(record.key, max(abs(before), record.timestamp))

    def look_around(self, now: int) -> None:
        with self.last_heard.all() as sensors:
            for sensor, heard in sensors:
                if 0 < heard <= now - SILENT_MS:
                    self.last_heard.put(sensor, -heard)
                    self.tell(sensor, now, "silent", f"for {(now - heard) // 1000} s")

    def tell(self, sensor: str, at: int, kind: str, details: str) -> None:
        self.context.forward(Record(sensor, Alert(sensor, kind, details), at))


def overheated(minute: Windowed[str], seen: Any) -> tuple[str, Alert]:
    details = f"{seen.mean:.1f} °C over {seen.readings} readings, {seen.peak:.1f} at most"
    return minute.key, Alert(minute.key, "hot", details)


app = App("iot-monitoring")

readings = app.stream("readings", key=str, value=Reading)

hot_minutes = (
    readings.group_by_key()
    .windowed_by(
        tumbling(timedelta(minutes=1), grace=timedelta(seconds=10)),
        late=lambda late: late.to("late-readings"),
    )
    .aggregate(readings=count(), mean=mean(F.celsius), peak=max_(F.celsius), store="minutes")
    .suppress(until_window_closes())
    .to_stream()
    .filter(F.mean > HOT)
    .map(overheated)
)

hot_minutes.merge(readings.process(Watchdog, stores=[last_heard])).to("alerts")

if __name__ == "__main__":
    app.run()
