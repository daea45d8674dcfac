"""The broker process that `Broker` starts: `python -P -m broker.child`.

It reads its options, which may hold secrets and so are no argument, from the first line of stdin: pickled, in base64.
It tells on stdout, in one line of JSON, that it is ready or why it cannot start, then takes orders
(`broker.control`), and ends when its stdin is closed: whoever started it is gone then, however that came about.
"""

from __future__ import annotations

import base64
import json
import os
import pickle
import sys

sys.modules.setdefault("hypothesis", None)  # pyright: ignore[reportArgumentType]  # kio imports it if it can: 0.27 s


def main() -> int:
    import logging

    from broker.errors import BrokerError
    from broker.options import BrokerOptions
    from broker.serving import Running

    options = pickle.loads(base64.b64decode(first_line()))
    assert isinstance(options, BrokerOptions)
    logging.basicConfig(level=logging.WARNING, format="broker: %(levelname)s %(name)s: %(message)s")
    if os.environ.get("HEADRACE_LOG_FORMAT") == "json":
        from broker.json_lines import JsonLines

        logging.getLogger().handlers[0].setFormatter(JsonLines())

    def ready(host: str, port: int) -> None:
        urls = {"schema_registry_url": running.schema_registry_url, "metrics_url": running.metrics_url}
        tell({"endpoints": running.endpoints, "ports": running.ports, **urls})

    running = Running(options, ready)
    try:
        running.run(alone=True, signals=True, parent=True)
    except BrokerError as error:
        tell({"error": type(error).__name__, "message": str(error)})
        return 1
    return 0


def first_line() -> bytes:
    """Of stdin, and not a byte more: orders may follow."""
    line = bytearray()
    while not line.endswith(b"\n"):
        chunk = os.read(sys.stdin.fileno(), 65_536)
        if not chunk:
            raise SystemExit(1)  # whoever started it has gone already
        line += chunk
    return bytes(line)


def tell(line: dict[str, object]) -> None:
    os.write(1, json.dumps(line).encode() + b"\n")


if __name__ == "__main__":
    sys.exit(main())
