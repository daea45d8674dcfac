"""A real Apache Kafka of one node, out of Maven's jars: what the bundled broker is compared with.

Needs Java 17 or later; Maven and a network the first time.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

HERE = Path(__file__).parent
LIBRARIES = HERE / "target" / "lib"
VERSION = "4.3.1"
"""As pom.xml says."""
CLUSTER_ID = "MkU3OEVBNTcwNTJENDM2Qk"
START_TIMEOUT_S = 60.0

LOGGING = """\
status = error
appender.out.type = Console
appender.out.name = out
appender.out.target = SYSTEM_ERR
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = [%d] %p %m (%c)%n
rootLogger.level = {level}
rootLogger.appenderRef.out.ref = out
"""


def class_path() -> str:
    """Of Kafka's jars, which Maven fetches if they are not there."""
    if not any(LIBRARIES.glob(f"kafka-tools-{VERSION}.jar")):
        if shutil.which("mvn") is None:
            raise SystemExit("Apache Kafka's jars are not there yet and there is no Maven (mvn) to fetch them")
        subprocess.run(["mvn", "-q", "-B", "-f", str(HERE / "pom.xml"), "package"], check=True)
    return f"{LIBRARIES}/*"


def java(*arguments: str, logging: Path, heap: str = "512m", options: Sequence[str] = ()) -> list[str]:
    """The command line of a Java program with Kafka's jars."""
    given = [f"-Xmx{heap}", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", f"-Dlog4j2.configurationFile={logging}"]
    return ["java", *given, *options, "-cp", class_path(), *arguments]


def free_ports(count: int) -> list[int]:
    """Ports nobody listens on just now."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [int(one.getsockname()[1]) for one in sockets]
    for one in sockets:
        one.close()
    return ports


class ApacheKafka:
    """A context manager; `bootstrap_servers` is where it listens. Its data goes with it.

    It starts with the few settings that the bundled broker has otherwise by default: one partition for its internal
    topics, no initial rebalance delay, sessions from one second. `settings` go on top.
    """

    def __init__(self, settings: Mapping[str, str] | None = None) -> None:
        self.settings = dict(settings or {})
        self.directory = Path(tempfile.mkdtemp(prefix="apache-kafka-"))
        self.process: subprocess.Popen[bytes] | None = None
        self.port = 0

    @property
    def bootstrap_servers(self) -> str:
        return f"127.0.0.1:{self.port}"

    def __enter__(self) -> ApacheKafka:
        self.port, controller = free_ports(2)
        properties = self.directory / "server.properties"
        settings = {
            "process.roles": "broker,controller",
            "node.id": "1",
            "controller.quorum.voters": f"1@127.0.0.1:{controller}",
            "controller.listener.names": "CONTROLLER",
            "listeners": f"PLAINTEXT://127.0.0.1:{self.port},CONTROLLER://127.0.0.1:{controller}",
            "advertised.listeners": f"PLAINTEXT://127.0.0.1:{self.port}",
            "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
            "log.dirs": str(self.directory / "log"),
            "offsets.topic.num.partitions": "1",
            "offsets.topic.replication.factor": "1",
            "transaction.state.log.num.partitions": "1",
            "transaction.state.log.replication.factor": "1",
            "transaction.state.log.min.isr": "1",
            "share.coordinator.state.topic.num.partitions": "1",
            "share.coordinator.state.topic.replication.factor": "1",
            "share.coordinator.state.topic.min.isr": "1",
            "group.initial.rebalance.delay.ms": "0",
            "group.min.session.timeout.ms": "1000",
            **self.settings,
        }
        properties.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
        logging = self.directory / "log4j2.properties"
        logging.write_text(LOGGING.format(level="info"))
        output = self.directory / "server.out"
        with output.open("wb") as out:
            storage = java(
                "kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c", str(properties), logging=logging
            )
            subprocess.run(storage, check=True, stdout=out, stderr=out)
            command = java("kafka.Kafka", str(properties), logging=logging, heap="1g")
            self.process = subprocess.Popen(command, stdout=out, stderr=out, start_new_session=True)
        deadline = time.monotonic() + START_TIMEOUT_S
        while b"Kafka Server started" not in output.read_bytes():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"Apache Kafka did not start:\n{output.read_text()[-4000:]}")
            time.sleep(0.1)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        shutil.rmtree(self.directory)
