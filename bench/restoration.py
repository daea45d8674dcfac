"""W8: the state directory of a running count is deleted; how fast the changelog is read back.

The time is from when the first partition begins to be restored to when the last one has been, as the programs tell it;
the start of the process and the group are not in it.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
import time
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

from bench.events import FIRST_TIMESTAMP, Event
from bench.ground import Ground, grounds
from bench.machine import about
from bench.measurement import running, wait
from bench.peers import Peer
from bench.progress import Outputs
from bench.results import RESULTS, Results
from bench.rounds import present
from bench.topics import PARTITIONS, Row, create_topic, delete_topics, fill
from bench.truth import Failed, Sum, Truth, check
from bench.workload import Workload

KEYS = 1_000_000
PEERS = ("headrace", "kafka-streams")
SHORT_SESSION = ("session.timeout.ms=6000", "heartbeat.interval.ms=2000")
"""Kafka Streams does not leave its group when it ends, so the next one waits until the session is over."""
LIMIT_S = 300.0


class Keys:
    """A topic with one event for each user."""

    def __init__(self, number: int, users: int) -> None:
        self.records = number

    def topics(self) -> dict[str, Iterable[Row]]:
        encode = msgspec.json.Encoder().encode
        numbered = ((f"u{i}", FIRST_TIMESTAMP + i) for i in range(self.records))
        return {"events": ((user, encode(Event(user, 1.0, ts)), ts) for user, ts in numbered)}

    def counted(self) -> Truth:
        return Truth(self.records, self.records)


WORKLOAD: Workload[Keys] = Workload(
    "restored_count", "W8 restoration of state", Keys, Keys.counted, lambda: Sum("count", "newest"), KEYS
)


def restored(log: Path) -> tuple[float, int, int]:
    """Seconds from the first beginning to the last end, records, and partitions that are done, as the log has them."""
    told: list[dict[str, Any]] = []
    for line in log.read_text(errors="replace").splitlines():
        if line.startswith("{"):
            told.append(json.loads(line))
    ended = [each for each in told if each["done"]]
    if not ended:
        return 0.0, 0, 0
    seconds = max(each["at"] for each in ended) - min(each["at"] for each in told)
    return seconds, sum(each["restored"] for each in ended), len(ended)


def once(ground: Ground, peer: Peer, keys: int) -> float:
    """Counts the keys, deletes the state, and returns the seconds of its restoration. Raises Failed."""
    servers, run = ground.bootstrap_servers, f"{peer.name}-restore-{uuid.uuid4().hex[:8]}"
    source, sink = f"events-{run}", f"out-{run}"
    truth = Truth(keys, keys)
    fill(servers, source, Keys(keys, 0).topics()["events"])
    create_topic(servers, sink)
    outputs = Outputs(servers, sink)
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        log, again, state = Path(directory) / "log", Path(directory) / "again", Path(directory) / "state"
        command = peer.command(WORKLOAD, servers, source, sink, run, str(state))
        with running(peer, [command], log) as [program]:
            wait(lambda: outputs.read() >= keys, program, log, LIMIT_S)
        check(servers, sink, truth, Sum("count", "newest"))
        shutil.rmtree(state)
        with running(peer, [command], again) as [program]:
            wait(lambda: restored(again)[2] >= PARTITIONS, program, again, LIMIT_S)
            seconds, records, _ = restored(again)
    delete_topics(servers, run)
    if records < keys:
        raise Failed(f"{records:,} of {keys:,} keys were restored")
    return seconds


def measure(ground: Ground, peers: Sequence[Peer], results: Results, path: Path, rounds: int, keys: int = KEYS) -> None:
    able = [peer for peer in peers if peer.name in PEERS]
    able = [replace(peer, settings=(*peer.settings, *SHORT_SESSION)) for peer in able]
    for number in range(rounds):
        for peer in able if number % 2 == 0 else reversed(able):
            entry = {"peer": peer.name, "broker": ground.name, "round": number, "keys": keys}
            try:
                seconds = once(ground, peer, keys)
            except Failed as failure:
                results.add("restore", entry | {"error": str(failure)})
                print(f"  restoration {peer.name:26} FAILED: {failure}", flush=True)
            else:
                results.add("restore", entry | {"seconds": seconds})
                print(f"  restoration {peer.name:26} {seconds:6.2f} s {keys / seconds:>11,.0f} keys/s", flush=True)
            results.write(path)


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--keys", type=int, default=KEYS)


def run(options: argparse.Namespace) -> int:
    path = options.json or RESULTS / f"restoration-{int(time.time())}.json"
    with grounds(options.broker) as found:
        results = Results(about([ground.name for ground in found[:1]]))
        measure(found[0], present(options.peer or PEERS), results, path, options.rounds, options.keys)
    return 1 if results.failed else 0
