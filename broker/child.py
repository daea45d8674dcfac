"""The broker process that `Broker` starts: `python -P -m broker.child <options as JSON>`.

It tells on stdout, in one line of JSON, that it is ready or why it cannot start, and ends when its stdin is closed:
whoever started it is gone then, however that came about.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

sys.modules.setdefault("hypothesis", None)  # pyright: ignore[reportArgumentType]  # kio imports it if it can: 0.27 s


def main() -> int:
    import logging

    from broker.errors import BrokerError
    from broker.options import BrokerOptions
    from broker.serving import Running

    content = json.loads(sys.argv[1])
    if content["data"] is not None:
        content["data"] = Path(content["data"])
    logging.basicConfig(level=logging.WARNING, format="broker: %(levelname)s %(name)s: %(message)s")
    if os.environ.get("HEADRACE_LOG_FORMAT") == "json":
        from broker.json_lines import JsonLines

        logging.getLogger().handlers[0].setFormatter(JsonLines())

    def ready(host: str, port: int) -> None:
        tell({"host": host, "port": port, "schema_registry_url": running.schema_registry_url})

    running = Running(BrokerOptions(**content), ready)
    try:
        running.run(signals=True, parent=True)
    except BrokerError as error:
        tell({"error": type(error).__name__, "message": str(error)})
        return 1
    return 0


def tell(line: dict[str, object]) -> None:
    os.write(1, json.dumps(line).encode() + b"\n")


if __name__ == "__main__":
    sys.exit(main())
