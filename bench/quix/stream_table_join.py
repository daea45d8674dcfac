"""W3 on Quix Streams, whose nearest operator to a join with a table is `join_asof`."""

from __future__ import annotations

import sys
from datetime import timedelta
from typing import Any

from quixstreams import Application


def named(event: dict[str, Any], user: dict[str, Any]) -> dict[str, Any]:
    return {"user": user["name"], "cents": int(event["amount"] * 100), "ts": event["ts"]}


def main(bootstrap_servers: str, source: str, sink: str, group: str, state: str) -> None:
    app = Application(
        broker_address=bootstrap_servers,
        consumer_group=group,
        auto_offset_reset="earliest",
        commit_interval=1.0,
        loglevel="WARNING",
        state_dir=state,
    )
    events, users = (app.dataframe(app.topic(topic, value_deserializer="json")) for topic in source.split(","))
    joined = events.join_asof(users, how="inner", on_merge=named, grace_ms=timedelta(days=3650))
    joined.to_topic(app.topic(sink, value_serializer="json"))
    app.run()


if __name__ == "__main__":
    main(*sys.argv[1:6])
