"""Who takes part, and how a program of theirs is started."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from bench.workloads import Workload

HERE = Path(__file__).parent
QUIX_PYTHON = "QUIX_PYTHON"
"""Names the interpreter of an environment with quixstreams, which pins other versions of the client; see README.md."""
JAVA_TARGET = HERE / "kafka_streams" / "target"
"""Where `make bench-java` puts the program's classes and its libraries."""
JAVA_WORKLOADS = (
    "filter_map",
    "window_count",
    "session_count",
    "closed_windows",
    "stream_stream_join",
    "table_table_join",
    "foreign_key_join",
)

Package = Literal["floor", "headrace", "quix", "kafka_streams"]


@dataclass(frozen=True, slots=True)
class Peer:
    """A program for each workload that it can do, and what is set for it."""

    name: str
    package: Package
    environment: Mapping[str, str] = field(default_factory=dict)
    settings: Sequence[str] = ()
    """Kafka Streams' own, as `name=value`."""
    against: str = "headrace"
    """The run of headrace that it is compared with."""
    can: Sequence[str] | None = None
    """The workloads that it has a program for and whose output is right; None: all with a module in its package."""
    unasked: Sequence[str] | None = None
    """The workloads that it takes part in without being named; None: all that it can do."""

    def missing(self) -> str | None:
        """Why it cannot take part here."""
        if self.package == "quix" and QUIX_PYTHON not in os.environ:
            return f"{QUIX_PYTHON} names no interpreter with Quix Streams"
        if self.package == "kafka_streams":
            if shutil.which("java") is None:
                return "there is no java"
            if not (JAVA_TARGET / "lib").is_dir():
                return "its program is not built, see `make bench-java`"
        return None

    def does(self, workload: Workload[Any], *, named: bool) -> bool:
        """Whether it takes part in the workload, `named` on the command line or not."""
        if not named and self.unasked is not None and workload.name not in self.unasked:
            return False
        if self.can is not None:
            return workload.name in self.can
        return (HERE / self.package / f"{workload.name}.py").is_file()

    def command(self, workload: Workload[Any], *arguments: str) -> list[str]:
        """Arguments are bootstrap servers, input topics with commas, output topic, group, state directory."""
        if self.package == "kafka_streams":
            classpath = f"{JAVA_TARGET / 'classes'}{os.pathsep}{JAVA_TARGET / 'lib' / '*'}"
            quiet = "-Dorg.slf4j.simpleLogger.defaultLogLevel=error"
            return ["java", quiet, "-cp", classpath, "bench.Main", workload.name, *arguments, *self.settings]
        python = os.environ[QUIX_PYTHON] if self.package == "quix" else sys.executable
        return [python, "-m", f"bench.{self.package}.{workload.name}", *arguments]


EXACTLY_ONCE = "processing.guarantee=exactly_once_v2"
EVERY_UPDATE = "statestore.cache.max.bytes=0"

FIRST_TWO = ("filter_map", "window_count")

PEERS = {
    peer.name: peer
    for peer in (
        Peer("headrace", "headrace"),
        Peer("floor", "floor"),
        Peer("headrace-1s", "headrace", {"HEADRACE_COMMIT_INTERVAL": "1"}, unasked=FIRST_TWO),
        Peer("headrace-alo", "headrace", {"HEADRACE_PROCESSING_GUARANTEE": "at_least_once"}, unasked=FIRST_TWO),
        Peer("quix", "quix"),
        Peer("kafka-streams", "kafka_streams", settings=(EXACTLY_ONCE, EVERY_UPDATE), can=JAVA_WORKLOADS),
        Peer("kafka-streams-cached", "kafka_streams", settings=(EXACTLY_ONCE,), can=("closed_windows",)),
        Peer(
            "kafka-streams-2",
            "kafka_streams",
            settings=(EXACTLY_ONCE, EVERY_UPDATE, "num.stream.threads=2"),
            can=JAVA_WORKLOADS,
            unasked=(),
        ),
        Peer(
            "kafka-streams-alo",
            "kafka_streams",
            settings=(EVERY_UPDATE, "commit.interval.ms=1000"),
            against="headrace-alo",
            can=JAVA_WORKLOADS,
            unasked=(),
        ),
    )
}
"""headrace as it is by default, exactly once and a commit every 100 ms, which is also what Kafka Streams does with
exactly once; headrace with a commit a second, and with at least once. Kafka Streams has one thread and no record cache,
as every update is to come out; where only the last one does, also the cache of its defaults."""
