"""W1 on Faust."""

from __future__ import annotations

import sys
from typing import Any

from bench.faust.application import Event, application, run


def main(bootstrap_servers: str, source: str, sink: str, group: str, state: str) -> None:
    app = application(bootstrap_servers, group, state)
    out = app.topic(sink, key_type=bytes, value_serializer="json")

    @app.agent(app.topic(source, key_type=bytes, value_type=Event))
    async def filter_map(events: Any) -> None:
        async for key, event in events.items():
            if event.amount >= 50:
                await out.send(key=key, value={"user": event.user, "cents": int(event.amount * 100), "ts": event.ts})

    run(app)


if __name__ == "__main__":
    main(*sys.argv[1:6])
