"""Programs side by side: each workload in rounds in which everybody has a turn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from confluent_kafka import KafkaException

from bench.ground import Ground
from bench.measurement import Filled, measure
from bench.peers import PEERS, Peer
from bench.results import Results
from bench.topics import delete_topics
from bench.truth import Failed
from bench.workload import Workload

FEWEST = 2_000
ON_EVERY_BROKER = ("headrace", "headrace-collapsed")


@dataclass(frozen=True, slots=True)
class Turn:
    """Who, on what."""

    peer: Peer
    ground: Ground


@dataclass(frozen=True, slots=True)
class Rounds:
    """How runs are done, and where their figures go."""

    grounds: Sequence[Ground]
    peers: Sequence[Peer]
    rounds: int
    results: Results
    path: Path
    named: bool = False
    """Whether the peers were named on the command line."""
    events: int | None = None
    """Records of every workload; None: as many as a full run has."""
    warm: set[str] = field(default_factory=set[str])
    """Brokers that have served before."""

    def turns(self, workload: Workload[Any]) -> list[Turn]:
        """All on the first broker; headrace on the others, too."""
        able = [peer for peer in self.peers if peer.does(workload, named=self.named)]
        return [
            Turn(peer, ground)
            for peer in able
            for number, ground in enumerate(self.grounds)
            if number == 0 or peer.name in ON_EVERY_BROKER
        ]

    def records(self, workload: Workload[Any], peer: Peer) -> int:
        events = self.events or workload.events
        return max(int(events * peer.share), min(events, FEWEST))

    def run(self, workload: Workload[Any]) -> None:
        """Every other round goes backwards. Figures are written as they come."""
        turns = self.turns(workload)
        filled: dict[tuple[str, int], Filled] = {}
        for turn in turns:
            held = (turn.ground.name, self.records(workload, turn.peer))
            if held not in filled:
                print(f"{workload.title}: writing {held[1]:,} records …", flush=True)
                filled[held] = Filled.of(workload, held[1], turn.ground.bootstrap_servers)
        self._warm_up(workload, turns, filled)
        for number in range(self.rounds):
            for turn in turns if number % 2 == 0 else reversed(turns):
                if turn.peer.once and number:
                    continue
                self._turn(workload, turn, filled[turn.ground.name, self.records(workload, turn.peer)], number)
        for (name, _), held in filled.items():
            servers = next(ground.bootstrap_servers for ground in self.grounds if ground.name == name)
            for topic in held.topics:
                delete_topics(servers, topic)

    def _warm_up(
        self, workload: Workload[Any], turns: Sequence[Turn], filled: Mapping[tuple[str, int], Filled]
    ) -> None:
        """Runs that count for nobody: who comes first would pay for what the broker's own compiler has not done yet.
        One on each broker; before the first workload of a full run one of each who is fast, since transactions and some
        clients have code of their own in the broker."""
        cold = [turn for turn in turns if turn.ground.name not in self.warm and self.events is None]
        self.warm.update(turn.ground.name for turn in turns)
        fast = [turn for turn in cold if turn.peer.share == 1 and not turn.peer.once]
        for turn in fast or {turn.ground.name: turn for turn in reversed(turns)}.values():
            with suppress(Failed, KafkaException):  # its turn will tell
                measure(turn.ground, turn.peer, workload, filled[turn.ground.name, self.records(workload, turn.peer)])

    def _turn(self, workload: Workload[Any], turn: Turn, filled: Filled, number: int) -> None:
        entry = {"workload": workload.name, "peer": turn.peer.name, "broker": turn.ground.name, "round": number}
        who = f"  {workload.name:22} {turn.peer.name:26} {turn.ground.name:8}"
        try:
            run = measure(turn.ground, turn.peer, workload, filled)
        except (Failed, KafkaException) as failure:
            self.results.add("runs", entry | {"error": str(failure)})
            print(f"{who} FAILED: {failure}", flush=True)
        else:
            self.results.add("runs", entry | asdict(run))
            dropped = ", records dropped as late" if run.left_out else ""
            print(
                f"{who} {run.rate:>9,.0f} rec/s over {run.steady_s:4.1f} s  {run.app_cpu_us:7.2f} + "
                f"{run.broker_cpu_us:5.2f} µs CPU/rec  {run.memory_mb:5,.0f} MB  {run.first_output_s:5.2f} s to start"
                f"{dropped}",
                flush=True,
            )
        self.results.write(self.path)


def present(names: Sequence[str] | None) -> list[Peer]:
    """Those who were named, or all; who cannot take part is told."""
    found: list[Peer] = []
    for name in names or PEERS:
        peer = PEERS[name]
        if reason := peer.missing():
            print(f"without {peer.name}: {reason}")
        else:
            found.append(peer)
    return found
