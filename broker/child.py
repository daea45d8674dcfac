"""The broker process that `Broker` starts: `python -P -m broker.child`.

Its options come by stdin, pickled behind their length: command lines and environments can be seen by others on the
machine, and there are passwords among them. It tells on stdout, in one line of JSON, that it is ready or why it cannot
start, and ends when its stdin is closed: whoever started it is gone then, however that came about.
"""

from __future__ import annotations

import json
import os
import pickle
import struct
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from broker.options import BrokerOptions

sys.modules.setdefault("hypothesis", None)  # pyright: ignore[reportArgumentType]  # kio imports it if it can: 0.27 s


def main() -> int:
    import logging

    from broker.errors import BrokerError
    from broker.serving import Running

    options = read_options(sys.stdin.fileno())
    logging.basicConfig(level=logging.WARNING, format="broker: %(levelname)s %(name)s: %(message)s")
    if os.environ.get("HEADRACE_LOG_FORMAT") == "json":
        from broker.json_lines import JsonLines

        logging.getLogger().handlers[0].setFormatter(JsonLines())

    def ready(host: str, port: int) -> None:
        url = running.schema_registry_url
        tell({"endpoints": running.endpoints, "ports": running.ports, "schema_registry_url": url})

    running = Running(options, ready)
    try:
        running.run(signals=True, parent=True)
    except BrokerError as error:
        tell({"error": type(error).__name__, "message": str(error)})
        return 1
    return 0


def read_options(descriptor: int) -> BrokerOptions:
    """Not through a buffer, which would read on."""
    (size,) = struct.unpack(">I", read_exactly(descriptor, 4))
    return pickle.loads(read_exactly(descriptor, size))


def read_exactly(descriptor: int, size: int) -> bytes:
    content = b""
    while len(content) < size:
        chunk = os.read(descriptor, size - len(content))
        if not chunk:
            raise SystemExit(1)  # the parent died before it had said anything
        content += chunk
    return content


def tell(line: dict[str, object]) -> None:
    os.write(1, json.dumps(line).encode() + b"\n")


if __name__ == "__main__":
    sys.exit(main())
