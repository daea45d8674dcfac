"""Sends a broker whatever can be sent, and looks after everyone else meanwhile.

    python -m tests.soak.wire --frames 1000000 --seed 1

Each connection sends a few requests, well-formed but strange, real, or damaged, and reads what comes until the broker
is through with it. Some come to listeners with SASL and TLS, and may get no further than the gate. Beside that one
client goes on producing and fetching: it must have its answers within a bound. In the end the process lives, no
connection and no file is left over, memory is where it was, and no handler failed in a way that nobody foresaw.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import psutil

from broker import Broker
from broker.protocol.batches import encode_batch
from broker.server.listener import Endpoint
from tests.broker.groups.wire import WireClient
from tests.broker.security.authority import Authority
from tests.broker.waits import wait_for
from tests.soak.wire_frames import FrameMaker, unique_topic
from tests.soak.wire_gate import Call, GateMaker, client_context, guarded_options, hold
from tests.soak.wire_traffic import NOW, PARTITIONS, TOPICS, record_traffic

PRODUCE, FETCH, CREATE = 0, 1, 19
LONGEST_WAIT_S = 30.0
"""A bystander that waits so long hangs, however busy the machine is."""
LONGEST_WORK_S = 4.0
"""Of the broker's processor time, between a bystander's request and its answer: what others may have it do first. The
most is a topic with 10,000 partitions, which a damaged request may well ask for: 0.2 ms each, for two files."""
MEMORY_BYTES = 100_000_000
"""What the process may grow by while frames are sent; groups and producers of odd names stay for a while."""
FILES = 50
"""More than that may not be open in the end than after the warm-up; some are segments."""
GATED = 0.25
"""Share of connections that come to a listener with SASL or TLS."""
PATIENCE_S = 20.0


class Bystander(threading.Thread):
    """A client among the others: produces a record, fetches it, and looks at the clock."""

    def __init__(self, servers: str, process: psutil.Process) -> None:
        super().__init__(name="bystander", daemon=True)
        self.client = WireClient(servers)
        self.process = process
        self.topic = unique_topic()
        self.client.ask(
            CREATE, 4, timeout=timedelta(seconds=5), validate_only=False,
            topics=[
                {"name": self.topic, "num_partitions": 1, "replication_factor": 1, "assignments": [], "configs": []}
            ],
        )  # fmt: skip
        self.trips = 0
        self.slowest_s = 0.0
        self.most_work_s = 0.0
        self.failure: BaseException | None = None
        self.done = threading.Event()

    def run(self) -> None:
        try:
            with self.client:
                while not self.done.wait(0.01):
                    began, work = time.monotonic(), self.work_s()
                    self.round_trip()
                    self.slowest_s = max(self.slowest_s, time.monotonic() - began)
                    self.most_work_s = max(self.most_work_s, self.work_s() - work)
        except BaseException as error:
            self.failure = error

    def work_s(self) -> float:
        """Processor time of the broker so far."""
        return sum(self.process.cpu_times()[:2])

    def round_trip(self) -> None:
        value = b"%d" % self.trips
        batch = bytes(encode_batch([(b"k", value)], NOW))
        data: list[Any] = [{"name": self.topic, "partition_data": [{"index": 0, "records": batch}]}]
        answer = self.client.ask(
            PRODUCE, 7, transactional_id=None, acks=1, timeout=timedelta(seconds=5), topic_data=data
        )
        assert answer.responses[0].partition_responses[0].base_offset == self.trips
        wanted = {
            "partition": 0, "fetch_offset": self.trips, "partition_max_bytes": 1 << 20, "log_start_offset": -1,
            "current_leader_epoch": -1,
        }  # fmt: skip
        answer = self.client.ask(
            FETCH, 9, replica_id=-1, max_wait=timedelta(seconds=5), min_bytes=1, max_bytes=1 << 20, isolation_level=0,
            session_id=0, session_epoch=-1, topics=[{"topic": self.topic, "partitions": [wanted]}],
            forgotten_topics_data=[],
        )  # fmt: skip
        assert value in answer.responses[0].partitions[0].records
        self.trips += 1


class WireFuzz:
    """One run against a broker process of its own."""

    def __init__(self, seed: int, log: Path) -> None:
        self.random = Random(seed)
        self.maker = FrameMaker(self.random, record_traffic())
        self.gate = GateMaker(self.random, self.maker)
        self.context = client_context()
        self.log = log
        self.frames = 0
        self.connections = 0
        self.costliest_s = 0.0
        self.costliest = log.with_name("costliest-call")
        """What the broker worked for longest."""
        self.gated = 0
        """Of the frames, those that came to a listener with SASL or TLS."""

    def run(self, frames: int, progress: Callable[[str], None] = lambda line: None) -> str:
        """Returns what there is to tell. Raises AssertionError."""
        options = guarded_options(
            Authority.new(),
            auto_create_topics=False,
            topic_defaults={"retention.bytes": "10000000", "retention.ms": "-1", "segment.bytes": "1000000"},
            retention_check_ms=5_000,
        )
        broker = Broker(options=options)
        start_with_log(broker, self.log)
        try:
            return self.run_against(broker, frames, progress)
        finally:
            broker.stop()

    def run_against(self, broker: Broker, frames: int, progress: Callable[[str], None]) -> str:
        assert broker.process is not None
        process = psutil.Process(broker.process.pid)
        create_topics(broker)
        bystander = Bystander(broker.bootstrap_servers, process)
        bystander.start()
        try:
            warm_up = frames // 10
            self.send(broker, bystander, warm_up, progress)
            memory, files = process.memory_info().rss, process.num_fds()
            began = time.monotonic()
            self.send(broker, bystander, frames, progress)
            seconds = time.monotonic() - began
        finally:
            bystander.done.set()
            bystander.join(PATIENCE_S)
        assert broker.process.poll() is None, f"the broker's process ended; see {self.log}"
        ports = {endpoint.port for endpoint in broker.endpoints}
        wait_for(lambda: not inbound(process, ports), "all connections are closed")
        grown = process.memory_info().rss - memory
        left = process.num_fds() - files
        self.check(bystander)
        assert grown < MEMORY_BYTES, f"the process grew by {grown:,} bytes"
        assert left < FILES, f"{left} files were left open"
        return (
            f"{self.frames:,} frames, {self.gated:,} of them by SASL or TLS, on {self.connections:,} connections in "
            f"{seconds:.0f} s; {bystander.trips:,} round trips beside them, the slowest "
            f"{bystander.slowest_s * 1000:.0f} ms, {bystander.most_work_s * 1000:.0f} ms of the broker's work; "
            f"memory {grown:+,} bytes, files {left:+}; the costliest call took {self.costliest_s * 1000:.0f} ms, see "
            f"{self.costliest}"
        )

    def send(self, broker: Broker, bystander: Bystander, frames: int, progress: Callable[[str], None]) -> None:
        """Goes on until so many frames are sent in all."""
        assert broker.process is not None
        while self.frames < frames:
            endpoint, call = self.call(broker)
            work = bystander.work_s()
            hold(endpoint, call, self.context)
            work = bystander.work_s() - work
            if work > self.costliest_s:
                self.costliest_s = work
                self.costliest.write_bytes(call.data)
            self.frames += call.frames
            self.connections += 1
            if self.connections % 2_000 == 0:
                progress(f"{self.frames:,} frames, slowest round trip {bystander.slowest_s * 1000:.0f} ms")
                self.check(bystander)
                assert broker.process.poll() is None, f"the broker's process ended; see {self.log}"

    def call(self, broker: Broker) -> tuple[Endpoint, Call]:
        plain, *gated = broker.endpoints
        if self.random.random() < GATED:
            endpoint = self.random.choice(gated)
            call = self.gate.call(endpoint)
            self.gated += call.frames
            return endpoint, call
        frames, rest = self.maker.client()
        return plain, Call(False, b"".join(frames) + rest, len(frames) + bool(rest))

    def check(self, bystander: Bystander) -> None:
        text = self.log.read_text(errors="replace")
        assert "Traceback" not in text, (
            f"a handler failed; see {self.log}\n{text[max(0, text.index('Traceback') - 200) :][:3000]}"
        )
        if bystander.failure is not None:
            raise bystander.failure
        assert bystander.slowest_s < LONGEST_WAIT_S, f"a bystander waited for {bystander.slowest_s:.1f} s"
        assert bystander.most_work_s < LONGEST_WORK_S, (
            f"the broker worked for {bystander.most_work_s:.1f} s before a bystander had its turn"
        )


def inbound(process: psutil.Process, ports: set[int]) -> list[Any]:
    return [one for one in process.net_connections("tcp") if one.laddr.port in ports and one.status == "ESTABLISHED"]


def create_topics(broker: Broker) -> None:
    with WireClient(broker.bootstrap_servers) as client:
        compact = [{"name": "cleanup.policy", "value": "compact"}]
        topics = [
            {"name": name, "num_partitions": PARTITIONS, "replication_factor": 1, "assignments": [],
             "configs": compact if name == TOPICS[1] else []}
            for name in TOPICS
        ]  # fmt: skip
        client.ask(CREATE, 4, timeout=timedelta(seconds=5), validate_only=False, topics=topics)


def start_with_log(broker: Broker, log: Path) -> None:
    """The broker's process inherits a stderr that goes to the file."""
    sys.stderr.flush()
    saved = os.dup(2)
    try:
        with log.open("wb") as file:
            os.dup2(file.fileno(), 2)
            broker.start()
    finally:
        os.dup2(saved, 2)
        os.close(saved)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    log = Path(tempfile.mkdtemp(prefix="headrace-wire-")) / "broker.log"
    fuzz = WireFuzz(arguments.seed, log)
    print(f"seed {arguments.seed}, {len(fuzz.maker.recorded)} recorded frames, the broker's log is {log}", flush=True)
    print(fuzz.run(arguments.frames, lambda line: print(line, flush=True)))


if __name__ == "__main__":
    main()
