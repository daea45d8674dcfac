"""`python -m tests.soak`: the crash harness. Ends with 1 where a run was not exact."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

from broker import Broker

FLOWS = ("flights", "joins", "letters")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--flow", choices=FLOWS, default="flights")
    parser.add_argument("--faults", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--guarantee", choices=("exactly_once", "at_least_once"), default="exactly_once")
    parser.add_argument("--bootstrap-servers", help="an empty Kafka cluster; default: a bundled broker, killed as well")
    parser.add_argument("--directory", type=Path, help="where log and state are kept; default: a temporary one")
    parser.add_argument("--disks", type=int, default=1, help="state directories, as if on so many hosts")
    parser.add_argument("--standbys", type=int, default=0, help="of each task, on other disks")
    options = parser.parse_args()
    os.environ["HEADRACE_NUM_STANDBY_REPLICAS"] = str(options.standbys)
    os.environ["HEADRACE_ACCEPTABLE_RECOVERY_LAG"] = "500"
    os.environ["HEADRACE_PROCESSING_GUARANTEE"] = options.guarantee
    os.environ["HEADRACE_SESSION_TIMEOUT"] = "6"

    from tests.soak.flights.flow import FlightsFlow
    from tests.soak.joins.flow import JoinsFlow
    from tests.soak.letters.flow import LettersFlow
    from tests.soak.run import run

    def tell(line: str) -> None:
        print(line, flush=True)

    with tempfile.TemporaryDirectory() as temporary:
        directory: Path = options.directory or Path(temporary)
        own = options.bootstrap_servers is None
        elsewhere = nullcontext(SimpleNamespace(bootstrap_servers=options.bootstrap_servers))
        with Broker(data=directory / "broker") if own else elsewhere as broker:
            if options.flow == "joins":
                flow = JoinsFlow(broker, directory / "job", faults=options.faults, seed=options.seed)
            elif options.flow == "letters":
                flow = LettersFlow(broker, directory / "job", faults=options.faults, seed=options.seed)
            else:
                flow = FlightsFlow(broker, directory / "job", faults=options.faults)
            flow.fleet.spread(options.disks)
            verdict = run(flow, broker, faults=options.faults, seed=options.seed, tell=tell)
    print(verdict)
    right = verdict.exact if options.guarantee == "exactly_once" else verdict.nothing_lost
    return 0 if right else 1


if __name__ == "__main__":
    sys.exit(main())
