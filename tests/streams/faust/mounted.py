"""A Faust application with a headrace application in it: its agent answers from the stores. Run as a Faust worker."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Any

import faust

from streams import App
from streams.faust import mount

host = faust.App(
    "host",
    broker=f"kafka://{os.environ['BROKER']}",
    datadir=os.environ["DATA"],
    web_transport=f"unix://{os.environ['SOCKET']}",
    topic_partitions=2,
    consumer_auto_offset_reset="earliest",
    stream_wait_empty=False,
)
app = App("counting")
app.stream("words", key=str, value=int).group_by_key().count(store="counts")
bridge = mount(
    host,
    app,
    views="/stores",
    slot=int(os.environ["SLOT"]),
    client_config={"log_level": 0},
)
counts = bridge.store("counts", patience=timedelta(seconds=80))
answers = host.topic("answers", key_type=str, value_serializer="json")


@host.agent(host.topic("questions", key_type=str, value_type=str, value_serializer="raw"))
async def answer(questions: Any) -> None:
    async for word in questions:
        row = await counts.get(word)
        await answers.send(key=word, value={"count": row and row.value})


if __name__ == "__main__":
    host.main()
