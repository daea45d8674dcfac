"""W3 on Faust, which has no join: one agent fills a table, another one looks things up in it."""

from __future__ import annotations

import sys
from typing import Any

from bench.faust.application import Event, User, application, run

NAP_S = 0.05


def main(bootstrap_servers: str, source: str, sink: str, group: str, state: str) -> None:
    events_topic, users_topic = source.split(",")
    app = application(bootstrap_servers, group, state)
    out = app.topic(sink, key_type=bytes, value_serializer="json")
    names = app.Table("names")

    @app.agent(app.topic(users_topic, key_type=bytes, value_type=User))
    async def load(users: Any) -> None:
        async for key, user in users.items():
            names[key.decode()] = user.name

    @app.agent(app.topic(events_topic, key_type=bytes, value_type=Event))
    async def join(events: Any) -> None:
        async for key, event in events.items():
            while (name := names.get(event.user)) is None:  # topics are not read in the order of time
                await app.sleep(NAP_S)
            await out.send(key=key, value={"user": name, "cents": int(event.amount * 100), "ts": event.ts})

    run(app)


if __name__ == "__main__":
    main(*sys.argv[1:6])
