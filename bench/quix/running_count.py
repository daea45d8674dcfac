"""The records of each user so far, on Quix Streams."""

from __future__ import annotations

import sys
from typing import Any

from quixstreams import Application


def counted(event: Any, state: Any) -> dict[str, int]:
    number = state.get("count", 0) + 1
    state.set("count", number)
    return {"count": number}


def main(bootstrap_servers: str, source: str, sink: str, group: str, state: str) -> None:
    app = Application(
        broker_address=bootstrap_servers,
        consumer_group=group,
        auto_offset_reset="earliest",
        commit_interval=1.0,
        loglevel="WARNING",
        state_dir=state,
    )
    topic = app.topic(source, value_deserializer="json")
    app.dataframe(topic).apply(counted, stateful=True).to_topic(app.topic(sink, value_serializer="json"))
    app.run()


if __name__ == "__main__":
    main(*sys.argv[1:6])
