"""`python -m broker`: a broker in the foreground, with every setting of `broker.options` as an option."""

from __future__ import annotations

import sys

if __name__ == "__main__":
    sys.modules.setdefault("hypothesis", None)  # pyright: ignore[reportArgumentType]  # kio imports it if it can: 0.27 s

import argparse
import logging
import os
from pathlib import Path

from broker.errors import BrokerError
from broker.options import DEFAULT_PORT
from broker.serving import serve
from broker.settings import Given, resolve, settings
from broker.settings.given import from_assignments, from_environment, from_properties

DEFAULTS = {"port": DEFAULT_PORT, "fsync": "always"}
"""What it has otherwise than `Broker()`."""


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0 after SIGTERM or SIGINT, 1 if the broker cannot start."""
    parser = argparse.ArgumentParser(
        prog="python -m broker",
        description="A single-node Kafka-protocol broker. Options count before HEADRACE_BROKER_… in the environment.",
    )
    parser.add_argument("--set", dest="set", action="append", default=[], metavar="NAME=VALUE", help="by Kafka's names")
    parser.add_argument("--properties", type=Path, help="a file of Kafka's properties")
    for setting in (one for one in settings().values() if one.has_flag):
        parser.add_argument(setting.flag, dest=setting.name, metavar="VALUE", help=setting.doc.replace("%", "%%"))
    chosen = vars(parser.parse_args(arguments))
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        said = [(each, chosen.get(name)) for name, each in settings().items()]
        flags = [Given(each.name, value, each.flag, exposed=True) for each, value in said if value is not None]
        properties = [] if chosen["properties"] is None else list(from_properties(chosen["properties"]))
        given = [[*flags, *from_assignments(chosen["set"])], from_environment(os.environ), properties]
        found = resolve(given, DEFAULTS)
        for note in found.notes:
            logging.getLogger("broker").info("%s", note)
        serve(found.options, lambda host, port: print(f"broker ready at {host}:{port}", flush=True))
    except BrokerError as error:
        print(f"broker: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
