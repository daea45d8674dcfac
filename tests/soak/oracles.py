"""`python -m tests.soak.oracles`: the runtime against the oracles, run after run, each with an input of its own."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from broker import Broker
from tests.streams.runtime import oracle_run
from tests.streams.runtime.bench import Bench


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.soak.oracles", description=__doc__)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1000, help="of the first run")
    parser.add_argument("--records", type=int, default=2_000)
    options = parser.parse_args()
    wrong = 0
    with Broker() as broker:
        for seed in range(options.seed, options.seed + options.runs):
            with (
                tempfile.TemporaryDirectory() as directory,
                Bench(broker.bootstrap_servers, Path(directory), f"run-{seed}") as bench,
            ):
                found = oracle_run.run(bench, seed, options.records)
            print(f"seed {seed}: {'equal' if not found else f'{len(found)} differences'}", flush=True)
            for line in found[:10]:
                print(f"  {line}", flush=True)
            wrong += bool(found)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
