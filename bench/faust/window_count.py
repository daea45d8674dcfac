"""W2 on Faust. Its windows go by the timestamps of the messages."""

from __future__ import annotations

import sys
from datetime import timedelta
from typing import Any

from bench.faust.application import Event, application, run

SIZE_MS = 10_000


def main(bootstrap_servers: str, source: str, sink: str, group: str, state: str) -> None:
    app = application(bootstrap_servers, group, state)
    out = app.topic(sink, key_type=bytes, value_serializer="json")
    counts = (
        app.Table("counts", default=int)
        .tumbling(timedelta(milliseconds=SIZE_MS), expires=timedelta(hours=1))
        .relative_to_stream()
    )

    @app.agent(app.topic(source, key_type=bytes, value_type=Event))
    async def count(events: Any) -> None:
        async for key, event in events.items():
            counts[event.user] += 1
            start = event.ts - event.ts % SIZE_MS
            await out.send(key=key, value={"start": start, "count": counts[event.user].value()})

    run(app)


if __name__ == "__main__":
    main(*sys.argv[1:6])
