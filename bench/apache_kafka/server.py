"""Apache Kafka in KRaft mode: broker and controller in one process, on free ports."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Self

JARS = Path(__file__).parent / "target" / "lib"
HEAP = ("-Xms1g", "-Xmx1g")
COLLECTOR = ("-server", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20", "-Djava.awt.headless=true")
"""What Kafka's own start script gives the virtual machine."""
CLUSTER_ID = "aGVhZHJhY2UtYmVuY2gtMQ"
START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 30.0

LOGGING = """\
status = error
appender.out.type = Console
appender.out.name = out
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = [%d] %p %m (%c)%n
rootLogger.level = info
rootLogger.appenderRef.out.ref = out
"""

SETTINGS: Mapping[str, str] = MappingProxyType(
    {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.listener.names": "CONTROLLER",
        "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
        "offsets.topic.num.partitions": "4",
        "offsets.topic.replication.factor": "1",
        "transaction.state.log.num.partitions": "4",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "group.initial.rebalance.delay.ms": "0",
        "group.min.session.timeout.ms": "1000",
    }
)


class ApacheKafka:
    """A server process over a directory of its own, which goes with it; `settings` override those here."""

    def __init__(self, settings: Mapping[str, str] = MappingProxyType({})) -> None:
        self.settings = settings
        self.port = 0
        self.process: subprocess.Popen[bytes] | None = None
        self.directory = Path()

    @staticmethod
    def missing() -> str | None:
        """Why it cannot be started here; None if it can."""
        if shutil.which("java") is None:
            return "there is no java on PATH"
        return None if JARS.is_dir() else "its jars are not here: make apache-kafka"

    @property
    def bootstrap_servers(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def __enter__(self) -> Self:
        try:
            self.prepare()
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def prepare(self) -> None:
        """Writes its settings and formats its storage, as one does once in the life of a cluster."""
        self.directory = Path(tempfile.mkdtemp(prefix="apache-kafka-"))
        self.port, controller = free_ports(2)
        listener = f"PLAINTEXT://127.0.0.1:{self.port}"
        settings = {
            **SETTINGS,
            "controller.quorum.voters": f"1@127.0.0.1:{controller}",
            "listeners": f"{listener},CONTROLLER://127.0.0.1:{controller}",
            "advertised.listeners": listener,
            "log.dirs": str(self.directory / "log"),
            **self.settings,
        }
        self.properties.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
        (self.directory / "log4j2.properties").write_text(LOGGING)
        self.run("kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c", str(self.properties))

    def start(self) -> None:
        """Returns when it says that it serves."""
        process = self.spawn()
        deadline = time.monotonic() + START_TIMEOUT_S
        while b"Kafka Server started" not in self.output.read_bytes():
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"Apache Kafka did not start:\n{self.output.read_text()[-3000:]}")
            time.sleep(0.02)

    def spawn(self) -> subprocess.Popen[bytes]:
        """Starts the process and does not wait for it."""
        with self.output.open("wb") as out:
            command = self.java("kafka.Kafka", str(self.properties), heap=HEAP)
            self.process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT)
        return self.process

    def stop(self) -> None:
        """Ends the process, cleanly; the data stays, for `start`."""
        if self.process is not None:
            self.process.terminate()
            try:
                self.process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self.process = None

    def close(self) -> None:
        self.stop()
        shutil.rmtree(self.directory, ignore_errors=True)

    @property
    def properties(self) -> Path:
        return self.directory / "server.properties"

    @property
    def output(self) -> Path:
        """What it writes to stdout and stderr."""
        return self.directory / "server.out"

    def java(self, name: str, *arguments: str, heap: tuple[str, ...] = ("-Xmx512m",)) -> list[str]:
        logging = f"-Dlog4j2.configurationFile={self.directory / 'log4j2.properties'}"
        return ["java", *heap, *COLLECTOR, logging, "-cp", str(JARS / "*"), name, *arguments]

    def run(self, name: str, *arguments: str) -> str:
        """Runs a class of the jars and returns what it prints. Raises RuntimeError where it fails."""
        done = subprocess.run(
            self.java(name, *arguments), capture_output=True, text=True, check=False, env={**os.environ, "LC_ALL": "C"}
        )
        if done.returncode != 0:
            raise RuntimeError(f"{name} {' '.join(arguments)} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
        return done.stdout


def free_ports(count: int) -> list[int]:
    """Ports that are free now: Apache Kafka cannot bind port 0 and tell which it got."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    try:
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()
