"""W1 on Bytewax."""

from __future__ import annotations

import sys
from typing import Any

import bytewax.operators as op
from bytewax.dataflow import Dataflow
from bytewax.run import cli_main

from bench.bytewax.topics import read, write


def cents(event: dict[str, Any]) -> dict[str, Any]:
    return {"user": event["user"], "cents": int(event["amount"] * 100), "ts": event["ts"]}


def main(bootstrap_servers: str, source: str, sink: str, group: str, state: str) -> None:
    flow = Dataflow("filter_map")
    events = read(flow, bootstrap_servers, source)
    kept = op.filter_value("large", events, lambda event: event["amount"] >= 50)
    write(op.map_value("cents", kept, cents), bootstrap_servers, sink)
    cli_main(flow)


if __name__ == "__main__":
    main(*sys.argv[1:6])
