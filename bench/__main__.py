"""Runs the workloads side by side and makes tables of the figures. See README.md beside this file."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from fnmatch import filter as filter_names
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from bench import latency, operators, restoration, shares
from bench.aims import judged
from bench.ground import grounds
from bench.machine import about
from bench.peers import PEERS
from bench.report import put_between_marks, table
from bench.results import RESULTS, Results, read
from bench.rounds import Rounds, present
from bench.workload import Workload
from bench.workloads import WORKLOADS

QUICK_EVENTS = 600_000
QUICK_PEERS = ("headrace", "floor", "kafka-streams")
QUICK_WORKLOADS = ("filter_map", "window_count", "stream_table_join")


def run(options: argparse.Namespace) -> int:
    """The workloads that were named, or all that are not by hand; where `--and` says so, also the other measures."""
    peers = present(options.peer)
    path = options.json or RESULTS / f"{datetime.now(UTC):%Y%m%d-%H%M%S}.json"
    chosen = matching(options.workload)
    with grounds(options.broker) as found:
        results = Results(about([ground.name for ground in found]))
        rounds = Rounds(found, peers, options.rounds, results, path, bool(options.peer), options.events)
        for workload in chosen:
            rounds.run(workload)
        if options.whole:
            restoration.measure(found[0], peers, results, path, options.rounds)
            latency.measure(found[0], peers, results, path, options.rounds)
    print(f"\n{table(results)}\n{path}")
    return 1 if results.failed else 0


def matching(patterns: Sequence[str] | None) -> list[Workload[Any]]:
    """The workloads that match one of the patterns, or without any all that are not by hand. Raises SystemExit where a
    pattern matches none."""
    if not patterns:
        return [workload for workload in WORKLOADS.values() if not workload.by_hand]
    for pattern in patterns:
        if not filter_names(WORKLOADS, pattern):
            raise SystemExit(f"no workload is called {pattern}: {', '.join(WORKLOADS)}")
    return [each for name, each in WORKLOADS.items() if any(fnmatchcase(name, pattern) for pattern in patterns)]


def tabulate(options: argparse.Namespace) -> None:
    text = table(read(options.results))
    if options.into is None:
        print(text, end="")
    else:
        options.into.write_text(put_between_marks(options.into.read_text(), text))


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    commands = parser.add_subparsers(required=True)

    def measuring(name: str, text: str) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=text, description=text)
        command.add_argument("--rounds", type=int, default=3)
        command.add_argument("--peer", choices=PEERS, action="append", help="only these")
        command.add_argument("--broker", help="kafka, bundled, both, or HOST:PORT (default: kafka where it can run)")
        command.add_argument("--json", type=Path, help="where figures go (default: a new file in bench/results)")
        return command

    everything = measuring("run", "The workloads; with --whole also restoration and latency.")
    everything.add_argument("--workload", action="append", help="only this one, or those that match: 'window*'")
    everything.add_argument("--events", type=int, help="records of each workload (default: those of a full run)")
    everything.add_argument("--whole", action="store_true", help="restoration and latency, too")
    everything.set_defaults(do=run)

    quick = commands.add_parser("quick", help="Three workloads, one round, few records: under three minutes.")
    quick.set_defaults(
        do=run,
        peer=list(QUICK_PEERS),
        workload=list(QUICK_WORKLOADS),
        events=QUICK_EVENTS,
        rounds=1,
        broker=None,
        json=None,
        whole=False,
    )

    for measure in (restoration, latency, shares):
        command = measuring(measure.__name__.removeprefix("bench."), (measure.__doc__ or "").partition("\n")[0])
        measure.options(command)
        command.set_defaults(do=measure.run)

    tables = commands.add_parser("table", help="Figures as Markdown; later files count instead of earlier ones.")
    tables.add_argument("results", type=Path, nargs="+")
    tables.add_argument("--into", type=Path, help="a page whose part between the marks is replaced")
    tables.set_defaults(do=tabulate)

    judging = commands.add_parser("aims", help="Which figures are what they are meant to be.")
    judging.add_argument("results", type=Path, nargs="+")
    judging.set_defaults(do=lambda options: print(judged(read(options.results)), end=""))

    commands.add_parser("operators", help="What each operator costs, in process.", add_help=False)
    if arguments[:1] == ["operators"]:
        operators.main(arguments[1:])
        return 0
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that programs and brokers end with it
    return options.do(options) or 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
