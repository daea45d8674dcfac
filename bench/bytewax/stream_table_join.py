"""W3 on Bytewax."""

from __future__ import annotations

import sys
from typing import Any

from bytewax.dataflow import Dataflow
from bytewax.run import cli_main

from bench.bytewax.joined import join_table
from bench.bytewax.topics import read, write


def named(event: dict[str, Any], user: dict[str, Any]) -> dict[str, Any]:
    return {"user": user["name"], "cents": int(event["amount"] * 100), "ts": event["ts"]}


def main(bootstrap_servers: str, source: str, sink: str, group: str, state: str) -> None:
    flow = Dataflow("stream_table_join")
    events, users = (read(flow, bootstrap_servers, topic) for topic in source.split(","))
    write(join_table(events, users, named), bootstrap_servers, sink)
    cli_main(flow)


if __name__ == "__main__":
    main(*sys.argv[1:6])
