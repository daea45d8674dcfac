"""W1 on Quix Streams."""

from __future__ import annotations

import sys
from typing import Any

from quixstreams import Application


def main(bootstrap_servers: str, source: str, sink: str, group: str, state: str) -> None:
    app = Application(
        broker_address=bootstrap_servers,
        consumer_group=group,
        auto_offset_reset="earliest",
        commit_interval=1.0,
        loglevel="WARNING",
        state_dir=state,
    )
    events = app.dataframe(app.topic(source, key_deserializer="bytes", value_deserializer="json"))

    def cents(event: dict[str, Any]) -> dict[str, Any]:
        return {"user": event["user"], "cents": int(event["amount"] * 100), "ts": event["ts"]}

    kept = events.filter(lambda event: event["amount"] >= 50).apply(cents)
    kept.to_topic(app.topic(sink, key_serializer="bytes", value_serializer="json"))
    app.run()


if __name__ == "__main__":
    main(*sys.argv[1:6])
