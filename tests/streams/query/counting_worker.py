"""One worker of a counting application in a process of its own; says where it can be asked."""

from __future__ import annotations

import signal
import sys

from streams import App, F
from streams.runtime.listener import Silent


class Teller(Silent):
    def on_endpoint(self, endpoint: str | None) -> None:
        if endpoint is not None:
            print(endpoint, flush=True)


def application(name: str, servers: str, state: str) -> App:
    """Counts records by key, and again by the first letter of the key, behind a repartition."""
    app = App(name, bootstrap_servers=servers, state_dir=state)
    records = app.stream(f"{name}-in", key=str, value=int)
    records.group_by_key().count(store="counts")
    records.group_by(F.key).count(store="again")
    return app


def main(name: str, servers: str, state: str) -> None:
    worker = application(name, servers, state).worker(
        listener=Teller(), session_timeout_ms=6_000, heartbeat_interval_ms=300, client_config={"log_level": 0}
    )
    signal.signal(signal.SIGTERM, lambda *_: worker.stop())
    worker.run()


if __name__ == "__main__":
    main(*sys.argv[1:4])
