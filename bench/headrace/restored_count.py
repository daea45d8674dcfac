"""The running count once more, which tells when a partition of its store begins and ends to be restored."""

from __future__ import annotations

import json
import sys
import time

from bench.headrace.running_count import declare
from streams import App
from streams.runtime.listener import RestoreProgress, Silent


class RestoreTimes(Silent):
    """Prints one JSON object for each event, with the time in seconds since the epoch and the records so far."""

    def on_restore(self, progress: RestoreProgress) -> None:
        print(json.dumps({"at": time.time(), "restored": progress.records, "done": progress.done}), flush=True)


def main(bootstrap_servers: str, source: str, sink: str, group: str, state: str) -> None:
    app = App(group, bootstrap_servers=bootstrap_servers, state_dir=state)
    declare(app, source, sink)
    app.run(listener=RestoreTimes())


if __name__ == "__main__":
    main(*sys.argv[1:6])
