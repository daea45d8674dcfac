"""`python -m tests.soak.outage`: the broker is away for a minute when workers start, and again while they work.

The demo's job runs under the supervisor of `headrace worker`. Everything goes on by itself when the broker is back, and
the result is that of the batch computation: exactly with exactly once, with nothing lost with at least once, whose
records wait in vain for longer than their `message.timeout.ms`, here 20 s. Ends with 1 where that is not so.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import threading
import time
from pathlib import Path

from broker import Broker

GUARANTEES = ("exactly_once", "at_least_once")
ROWS_PER_PART = 4_000
FEED_S = 5.0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.soak.outage", description=__doc__)
    parser.add_argument("--away", type=float, default=60.0, help="s; more than the 15 s that a start waits")
    parser.add_argument("--guarantee", choices=GUARANTEES, action="append")
    options = parser.parse_args()
    os.environ["HEADRACE_CLIENT_MESSAGE_TIMEOUT_MS"] = "20000"
    right = [outage(guarantee, options.away) for guarantee in options.guarantee or GUARANTEES]
    return 0 if all(right) else 1


def outage(guarantee: str, away_s: float) -> bool:
    """One run; whether its result is right."""
    os.environ["HEADRACE_PROCESSING_GUARANTEE"] = guarantee

    from streams.cli.supervisor import Supervisor
    from tests.soak.flights.flow import FlightsFlow
    from tests.soak.run import BROKER_AWAY, feed
    from tests.soak.verdict import Verdict

    with tempfile.TemporaryDirectory() as temporary, Broker(data=Path(temporary) / "broker") as broker:
        began = time.monotonic()
        flow = FlightsFlow(broker, Path(temporary) / "job", faults=1, per_fault=ROWS_PER_PART)
        flow.fleet.accepted_exits.add(1)  # a start waits 15 s for the broker
        stopping = threading.Event()
        supervisor = Supervisor(2, flow.fleet.start, say=tell)
        broker.kill()
        workers = threading.Thread(target=supervisor.run, args=(stopping.wait,), name="supervisor")
        workers.start()
        try:
            tell(f"{guarantee}: workers start without a broker")
            time.sleep(away_s)
            broker.start()
            feed(flow, 0, ROWS_PER_PART, FEED_S)
            tell(f"the broker goes away, {flow.progress()} of {ROWS_PER_PART:,}")
            broker.kill()
            time.sleep(away_s)
            broker.start()
            feed(flow, ROWS_PER_PART, 2 * ROWS_PER_PART, FEED_S)
            flow.send(2 * ROWS_PER_PART, flow.length)
            flow.finished()
            stopping.set()
            workers.join()
            verdict = Verdict(
                flow=f"outage, {guarantee}",
                seed=0,
                faults={"broker away": 2},
                records_in=flow.length,
                outputs=tuple(flow.checks()),
                workers_started=flow.fleet.started - 2,
                silence_s=away_s,
                seconds=time.monotonic() - began,
                findings=(*flow.findings(), *flow.fleet.errors(BROKER_AWAY.search)),
            )
        finally:
            stopping.set()
            workers.join()
            flow.close()
    tell(str(verdict))
    return verdict.exact if guarantee == "exactly_once" else verdict.nothing_lost


def tell(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
