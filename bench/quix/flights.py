"""W4 on Quix Streams: `join_asof` for the join with the table, `group_by` for the repartition topic."""

from __future__ import annotations

import sys
from datetime import timedelta
from typing import Any

from quixstreams import Application
from quixstreams.dataframe.windows import Count, Max, Mean


def located(flight: dict[str, Any], airport: dict[str, Any]) -> dict[str, Any]:
    return {"state": airport["state"], "minutes": flight["delay"]}


def main(bootstrap_servers: str, source: str, sink: str, group: str, state: str) -> None:
    app = Application(
        broker_address=bootstrap_servers,
        consumer_group=group,
        auto_offset_reset="earliest",
        commit_interval=1.0,
        loglevel="WARNING",
        state_dir=state,
    )
    flights, airports = (app.dataframe(app.topic(topic, value_deserializer="json")) for topic in source.split(","))
    delays = flights.join_asof(airports, how="inner", on_merge=located, grace_ms=timedelta(days=3650))
    by_state = delays.group_by(
        "state", value_serializer="json", value_deserializer="json", key_serializer="str", key_deserializer="str"
    )
    days = by_state.tumbling_window(timedelta(days=1), grace_ms=timedelta(hours=1), on_late=lambda *late: False)
    results = days.agg(flights=Count(), mean_delay=Mean("minutes"), worst=Max("minutes")).current()
    results.to_topic(app.topic(sink, value_serializer="json", key_serializer="str"))
    app.run()


if __name__ == "__main__":
    main(*sys.argv[1:6])
