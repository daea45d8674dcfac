"""Programs on Quix Streams, Bytewax and Faust on the bundled broker: those of bench/, as they are there.

    python -m tests.foreign.peers                     whoever is installed, all workloads they do
    python -m tests.foreign.peers quix                one of them
    python -m tests.foreign.peers --kafka             on Apache Kafka as well, and the outputs compared

What comes out is compared with what the inputs make (bench/truth.py). `QUIX_PYTHON`, `BYTEWAX_PYTHON` and
`FAUST_PYTHON` name the interpreters where they are installed, if that is another one: bench/README.md.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from typing import Any

from bench.peers import PEERS, Peer
from bench.topics import create_topic, fill_all
from bench.truth import check
from bench.workload import Workload
from bench.workloads import WORKLOADS
from tests.foreign.apache_kafka import apache_kafka
from tests.foreign.bundled import bundled_broker
from tests.foreign.kafka_streams import await_written, digest, program

FRAMEWORKS = ("quix", "bytewax", "faust")
WORKLOAD_NAMES = ("filter_map", "window_count", "hopping_count", "stream_table_join", "running_count")
USERS = 200


def does(peer: Peer, workload: Workload[Any]) -> bool:
    """Whether its output is to be right: in some it leaves records out as late."""
    return peer.does(workload, named=True) and workload.name not in peer.drops


def run(servers: str, peer: Peer, workload: Workload[Any], records: int) -> str:
    """Runs one program until its output is right; the digest of its output. Raises Failed where it is wrong."""
    data = workload.data(records, USERS)
    truth, tally = workload.truth(data), workload.tally()
    name = f"{peer.name}-{workload.name}"
    sources = fill_all(servers, name, data.topics())
    sink = f"{name}-out"
    create_topic(servers, sink)
    with (
        tempfile.TemporaryDirectory() as state,
        program(peer.command(workload, servers, ",".join(sources), sink, f"{name}-group", state)),
    ):
        await_written(servers, sink, truth.records)
        check(servers, sink, truth, tally)
    return digest(servers, sink)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="tests.foreign.peers", description="Other frameworks on the broker.")
    parser.add_argument("frameworks", nargs="*", default=FRAMEWORKS, help="quix, bytewax, faust")
    parser.add_argument("--records", type=int, default=5_000, help="of each workload (default: %(default)s)")
    parser.add_argument("--kafka", action="store_true", help="compare with Apache Kafka")
    chosen = parser.parse_args(arguments)
    runs: list[tuple[Peer, Workload[Any]]] = []
    for name in chosen.frameworks:
        peer = PEERS[name]
        if reason := peer.missing():
            print(f"{name} is left out: {reason}")
            continue
        runs += [
            (peer, WORKLOADS[each]) for each in WORKLOAD_NAMES if each in WORKLOADS and does(peer, WORKLOADS[each])
        ]
    outputs: list[dict[str, str]] = []
    for make in (bundled_broker, apache_kafka) if chosen.kafka else (bundled_broker,):
        with make() as broker:
            found: dict[str, str] = {}
            for peer, workload in runs:
                started = time.monotonic()
                output = run(broker.bootstrap_servers, peer, workload, chosen.records)
                found[f"{peer.name} {workload.name}"] = output
                taken = time.monotonic() - started
                print(f"{type(broker).__name__}: {peer.name} {workload.name} {output} in {taken:.1f} s", flush=True)
            outputs.append(found)
    wrong = [name for name in outputs[0] if len({found[name] for found in outputs}) > 1]
    for name in wrong:
        print(f"{name}: the output is not that on Apache Kafka")
    return 1 if wrong or not runs else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
