"""`python -m tests.soak`: the crash harness. Ends with 1 where a run was not exact."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace

from broker import Broker


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--faults", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--guarantee", choices=("exactly_once", "at_least_once"), default="exactly_once")
    parser.add_argument("--bootstrap-servers", help="an empty Kafka cluster; default: a bundled broker, killed as well")
    parser.add_argument("--directory", type=Path, help="where log and state are kept; default: a temporary one")
    options = parser.parse_args()
    os.environ["HEADRACE_PROCESSING_GUARANTEE"] = options.guarantee
    os.environ["HEADRACE_SESSION_TIMEOUT"] = "6"

    from tests.soak.run import run

    with tempfile.TemporaryDirectory() as temporary:
        directory = options.directory or Path(temporary)

        def tell(line: str) -> None:
            print(line, flush=True)

        if options.bootstrap_servers:
            cluster = SimpleNamespace(bootstrap_servers=options.bootstrap_servers)
            verdict = run(cluster, directory / "job", faults=options.faults, seed=options.seed, tell=tell)
        else:
            with Broker(data=directory / "broker") as broker:
                verdict = run(broker, directory / "job", faults=options.faults, seed=options.seed, tell=tell)
    print(verdict)
    right = verdict.exact if options.guarantee == "exactly_once" else verdict.nothing_lost
    print("exact" if verdict.exact else "nothing lost" if verdict.nothing_lost else "LOST RECORDS")
    return 0 if right else 1


if __name__ == "__main__":
    sys.exit(main())
