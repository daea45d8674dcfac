"""Windows of departures by their destination: final results at once and by suppression."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from streams import App, F, Json, KTable, calendar, count, hopping, max_, sum_, tumbling, until_window_closes
from tests.integration.replay.history import PATIENCE, Event

GRACE = timedelta(hours=1)
ZONE = "America/New_York"

app = App("replay-windows", watermark_idle_timeout=PATIENCE)


def put_out(table: KTable[Any, Any], topic: str) -> None:
    table.to_stream().map(lambda k, v: (k.key, [k.start, v.n, v.late, v.worst]), key=str, value=Json()).to(topic)


by_destination = app.stream("departures", key=str, value=Event, timestamp=F.ts).group_by(F.destination)
aggregates: dict[str, Any] = {"n": count(), "late": sum_(F.delay), "worst": max_(F.delay)}
put_out(
    by_destination.windowed_by(tumbling(timedelta(days=1), grace=GRACE), emit="close").aggregate(
        **aggregates, store="days"
    ),
    "days",
)
put_out(
    by_destination.windowed_by(hopping(timedelta(days=3), timedelta(days=1), grace=GRACE), emit="close").aggregate(
        **aggregates, store="three-days"
    ),
    "three-days",
)
put_out(
    by_destination.windowed_by(calendar("week", tz=ZONE, grace=GRACE))
    .aggregate(**aggregates, store="weeks")
    .suppress(until_window_closes()),
    "weeks",
)
