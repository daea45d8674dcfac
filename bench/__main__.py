"""Runs the workloads side by side and prints rates and ratios. See README.md beside this file."""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench.measurement import Filled, Run, measure
from bench.peers import PEERS, Peer
from bench.workloads import WORKLOADS, Workload
from broker import Broker


@contextmanager
def log(bootstrap_servers: str | None) -> Iterator[str]:
    """The cluster that was named, or the bundled broker."""
    if bootstrap_servers is not None:
        yield bootstrap_servers
        return
    with Broker() as broker:
        yield broker.bootstrap_servers


def present(names: Sequence[str] | None) -> list[Peer]:
    """Those who were named, or all who take part unasked; who cannot is told."""
    found: list[Peer] = []
    for peer in PEERS.values():
        if names and peer.name not in names:
            continue
        if reason := peer.missing():
            print(f"without {peer.name}: {reason}")
        else:
            found.append(peer)
    return found


def interleaved(
    servers: str, workload: Workload[Any], filled: Filled, peers: list[Peer], rounds: int
) -> dict[str, list[Run]]:
    """Runs of each, a round at a time, every other round backwards."""
    truth = workload.truth(filled.data)
    runs: dict[str, list[Run]] = {peer.name: [] for peer in peers}
    for number in range(rounds):
        for peer in peers if number % 2 == 0 else reversed(peers):
            run = measure(servers, peer, workload, filled, truth)
            runs[peer.name].append(run)
            print(
                f"  {workload.name:18} {peer.name:20} {run.rate:>9,.0f} rec/s  {run.cpu_us:6.2f} µs CPU/rec", flush=True
            )
    return runs


def print_ratios(workload: Workload[Any], runs: dict[str, list[Run]]) -> None:
    """headrace's rate as a multiple of the others', round by round."""
    for name in runs:
        against = PEERS[name].against
        if against == name or against not in runs:
            continue
        ratios = [ours.rate / theirs.rate for ours, theirs in zip(runs[against], runs[name], strict=True)]
        print(
            f"{workload.name}: {against} at {statistics.median(ratios):.2f}× of {name} "
            f"(rounds: {', '.join(f'{ratio:.2f}' for ratio in ratios)}); medians "
            f"{statistics.median(run.rate for run in runs[against]):,.0f} and "
            f"{statistics.median(run.rate for run in runs[name]):,.0f} rec/s",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--events", type=int, default=600_000)
    parser.add_argument("--users", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workload", choices=WORKLOADS, action="append", help="only these")
    parser.add_argument("--peer", choices=PEERS, action="append", help="only these")
    parser.add_argument("--bootstrap-servers", help="a Kafka cluster to use instead of the bundled broker")
    parser.add_argument("--json", type=Path, help="write all figures here")
    options = parser.parse_args()
    peers = present(options.peer)
    results: list[dict[str, object]] = []
    filled: dict[object, Filled] = {}
    with log(options.bootstrap_servers) as servers:
        for workload in [WORKLOADS[name] for name in options.workload or ()] or WORKLOADS.values():
            if workload.by_hand and not options.workload:
                continue
            if workload.data not in filled:
                print(f"writing {options.events:,} records …", flush=True)
                filled[workload.data] = Filled.of(workload.data(options.events, options.users), servers)
            able = [peer for peer in peers if peer.does(workload, named=bool(options.peer))]
            runs = interleaved(servers, workload, filled[workload.data], able, options.rounds)
            print_ratios(workload, runs)
            results += [
                {"workload": workload.name, "peer": name, **asdict(run)}
                for name, found in runs.items()
                for run in found
            ]
    if options.json:
        options.json.write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    if sys.argv[1:2] == ["operators"]:
        from bench import operators

        operators.main(sys.argv[2:])
    else:
        main()
