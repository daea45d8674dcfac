"""Who takes part, and how a program of theirs is started."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from bench.workload import Workload
from bench.workloads import COLLAPSED

HERE = Path(__file__).parent
JAVA_TARGET = HERE / "kafka_streams" / "target"
"""Where `make bench-java` puts the program's classes and its libraries."""
JAVA_WORKLOADS = (
    "filter_map",
    "window_count",
    "session_count",
    "closed_windows",
    "stream_table_join",
    "flights",
    "stream_stream_join",
    "table_table_join",
    "foreign_key_join",
    "running_count",
)

Package = Literal["headrace", "floor", "kafka_streams", "quix", "bytewax", "faust"]

LIBRARIES: Mapping[Package, tuple[str, str]] = {
    "quix": ("quixstreams", "QUIX_PYTHON"),
    "bytewax": ("bytewax", "BYTEWAX_PYTHON"),
    "faust": ("faust", "FAUST_PYTHON"),
}
"""What has to be installed, and the variable that names the interpreter where it is, if it is not this one: they want
other versions of the client."""


def interpreter(package: Package) -> str | None:
    """The Python that runs its programs; None: there is none."""
    if package not in LIBRARIES:
        return sys.executable
    library, variable = LIBRARIES[package]
    if variable in os.environ:
        return os.environ[variable]
    return sys.executable if find_spec(library) else None


@dataclass(frozen=True, slots=True)
class Peer:
    """A program for each workload that it can do, and what is set for it."""

    name: str
    package: Package
    title: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    settings: Sequence[str] = ()
    """Kafka Streams' own, as `name=value`."""
    against: str = "headrace"
    """The run of headrace that it is compared with."""
    processes: int = 1
    only: Sequence[str] | None = None
    """The workloads that it can do; None: all that it has a program for."""
    never: Sequence[str] = ()
    """Those of them whose output it does not get right."""
    unasked: Sequence[str] | None = None
    """The workloads that it takes part in without being named; None: all that it can do."""
    share: float = 1.0
    """Of the workload's records: who is slow gets fewer, so that a run of theirs does not take minutes."""
    drops: Sequence[str] = ()
    """The workloads in which it leaves records out as late. How many is told."""
    once: bool = False
    """Whether one round is enough."""
    commits: bool = True
    """Whether its group commits offsets, which tell how far it is."""

    def missing(self) -> str | None:
        """Why it cannot take part here."""
        if self.package == "kafka_streams":
            if shutil.which("java") is None:
                return "there is no java"
            if not (JAVA_TARGET / "lib").is_dir():
                return "its program is not built, see `make bench-java`"
        elif interpreter(self.package) is None:
            library, variable = LIBRARIES[self.package]
            return f"{library} is not installed, and {variable} names no interpreter where it is"
        return None

    def does(self, workload: Workload[Any], *, named: bool) -> bool:
        """Whether it takes part in the workload, `named` on the command line or not."""
        if workload.name in self.never or (self.only is not None and workload.name not in self.only):
            return False
        if not named and self.unasked is not None and workload.name not in self.unasked:
            return False
        if workload.programs:
            return self.package in workload.programs
        if self.package == "kafka_streams":
            return workload.program in JAVA_WORKLOADS
        return (HERE / self.package / f"{workload.program}.py").is_file()

    def command(self, workload: Workload[Any], *arguments: str) -> list[str]:
        """Arguments are bootstrap servers, input topics with commas, output topic, group, state directory."""
        words = workload.programs.get(self.package)
        if self.package == "kafka_streams":
            classpath = f"{JAVA_TARGET / 'classes'}{os.pathsep}{JAVA_TARGET / 'lib' / '*'}"
            quiet = "-Dorg.slf4j.simpleLogger.defaultLogLevel=error"
            return [
                "java",
                quiet,
                "-cp",
                classpath,
                "bench.Main",
                *(words or [workload.program]),
                *arguments,
                *self.settings,
            ]
        python = interpreter(self.package)
        assert python is not None
        return [python, "-m", *(words or [f"bench.{self.package}.{workload.program}"]), *arguments]

    def start(self, command: list[str], log: Path) -> subprocess.Popen[bytes]:
        """Starts the program, with bytecode as installed programs have it; what it says goes to the log."""
        environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "", "PYTHONPATH": str(HERE.parent), **self.environment}
        with log.open("ab") as out:
            return subprocess.Popen(command, env=environment, stdout=out, stderr=subprocess.STDOUT)


EXACTLY_ONCE = "processing.guarantee=exactly_once_v2"
EVERY_UPDATE = "statestore.cache.max.bytes=0"
EACH_SECOND = "commit.interval.ms=1000"

AT_LEAST_ONCE = {"HEADRACE_PROCESSING_GUARANTEE": "at_least_once"}
W1, W2, W3, W4 = "filter_map", "window_count", "stream_table_join", "flights"
FIRST_FOUR = (W1, W2, W3, W4)

PEERS = {
    peer.name: peer
    for peer in (
        Peer("headrace", "headrace", "headrace", AT_LEAST_ONCE, never=(COLLAPSED,)),
        Peer(
            "headrace-collapsed",
            "headrace",
            "headrace, one update per commit",
            {**AT_LEAST_ONCE, "HEADRACE_EMIT_UPDATES": "commit"},
            only=(COLLAPSED,),
        ),
        Peer(
            "headrace-exactly-once",
            "headrace",
            "headrace, exactly once, 100 ms",
            unasked=FIRST_FOUR,
            never=(COLLAPSED,),
        ),
        Peer(
            "headrace-exactly-once-1s",
            "headrace",
            "headrace, exactly once, 1 s",
            {"HEADRACE_COMMIT_INTERVAL": "1"},
            unasked=FIRST_FOUR,
            never=(COLLAPSED,),
        ),
        Peer(
            "headrace-2-processes",
            "headrace",
            "headrace, two processes",
            AT_LEAST_ONCE,
            processes=2,
            unasked=FIRST_FOUR,
            never=(COLLAPSED,),
        ),
        Peer("floor", "floor", "floor program"),
        Peer(
            "kafka-streams",
            "kafka_streams",
            "Kafka Streams",
            settings=(EVERY_UPDATE, EACH_SECOND),
            never=(COLLAPSED,),
            drops=(W4,),
        ),
        Peer(
            "kafka-streams-cached",
            "kafka_streams",
            "Kafka Streams, record cache",
            settings=(EACH_SECOND,),
            against="headrace-collapsed",
            only=(COLLAPSED, "closed_windows"),
            unasked=(COLLAPSED,),
        ),
        Peer(
            "kafka-streams-exactly-once",
            "kafka_streams",
            "Kafka Streams, exactly once, 100 ms",
            settings=(EXACTLY_ONCE, EVERY_UPDATE),
            against="headrace-exactly-once",
            once=True,
            unasked=FIRST_FOUR,
            never=(COLLAPSED,),
            drops=(W4,),
        ),
        Peer(
            "kafka-streams-2-threads",
            "kafka_streams",
            "Kafka Streams, two threads",
            settings=(EVERY_UPDATE, EACH_SECOND, "num.stream.threads=2"),
            once=True,
            unasked=FIRST_FOUR,
            never=(COLLAPSED,),
            drops=(W4,),
        ),
        Peer("quix", "quix", "Quix Streams", share=0.05, drops=(W4,)),
        Peer("bytewax", "bytewax", "Bytewax", share=0.1, drops=(W4,), commits=False),
        Peer("faust", "faust", "Faust", share=0.01, once=True),
    )
}
"""`headrace` and `kafka-streams` do at least once and commit each second, the others in comparison with them too. Kafka
Streams has one thread and no record cache, as every update is to come out."""
