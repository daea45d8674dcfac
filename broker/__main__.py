"""`python -m broker`: a broker in the foreground."""

from __future__ import annotations

import sys

if __name__ == "__main__":
    sys.modules.setdefault("hypothesis", None)  # pyright: ignore[reportArgumentType]  # kio imports it if it can: 0.27 s

import argparse
import logging
from pathlib import Path

from broker.errors import BrokerError
from broker.options import DEFAULT_PORT, BrokerOptions
from broker.serving import serve


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0 after SIGTERM or SIGINT, 1 if the broker cannot start."""
    parser = argparse.ArgumentParser(prog="python -m broker", description="A single-node Kafka-protocol broker.")
    parser.add_argument("--data", type=Path, help="data directory (default: a temporary one, removed at exit)")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="0: any free one (default: %(default)s)")
    parser.add_argument(
        "--advertised-host", help="address clients are told to connect to (default: the one listened on)"
    )
    parser.add_argument("--fsync", choices=("always", "never"), default="always", help="default: %(default)s")
    parser.add_argument("--default-partitions", type=int, default=1, help="of auto-created topics (default: 1)")
    parser.add_argument("--schema-registry-port", type=int, help="serve a schema registry there; 0: any free port")
    chosen = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    options = BrokerOptions(**vars(chosen))
    try:
        serve(options, lambda host, port: print(f"broker ready at {host}:{port}", flush=True))
    except BrokerError as error:
        print(f"broker: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
