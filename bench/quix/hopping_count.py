"""W2 with two windows for each event, on Quix Streams."""

from __future__ import annotations

import sys
from datetime import timedelta

from quixstreams import Application
from quixstreams.dataframe.windows import Count


def main(bootstrap_servers: str, source: str, sink: str, group: str, state: str) -> None:
    app = Application(
        broker_address=bootstrap_servers,
        consumer_group=group,
        auto_offset_reset="earliest",
        commit_interval=1.0,
        loglevel="WARNING",
        state_dir=state,
    )
    topic = app.topic(source, value_deserializer="json", timestamp_extractor=lambda v, headers, ts, kind: v["ts"])
    window = app.dataframe(topic).hopping_window(
        timedelta(seconds=10), timedelta(seconds=5), grace_ms=timedelta(seconds=1)
    )
    counts = window.agg(count=Count()).current()
    counts.to_topic(app.topic(sink, value_serializer="json"))
    app.run()


if __name__ == "__main__":
    main(*sys.argv[1:6])
