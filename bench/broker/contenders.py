"""The two brokers that are compared: processes that are started, stopped and accounted for."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Protocol

from bench.apache_kafka.server import ApacheKafka, free_ports


class Contender(Protocol):
    """A broker that keeps its port and its data from start to start."""

    name: str

    @property
    def bootstrap_servers(self) -> str: ...

    @property
    def pid(self) -> int: ...

    def spawn(self) -> None:
        """Starts the process and does not wait for it."""
        ...

    def stop(self) -> None:
        """Ends it cleanly."""
        ...

    def close(self) -> None:
        """Ends it and removes its data."""
        ...


class Bundled:
    """`headrace broker`, as one starts it from a shell, without fsync as Apache Kafka is."""

    name = "headrace"

    def __init__(self) -> None:
        self._directory = Path(tempfile.mkdtemp(prefix="bench-broker-"))
        (self._port,) = free_ports(1)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def bootstrap_servers(self) -> str:
        return f"127.0.0.1:{self._port}"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def spawn(self) -> None:
        words = ["--port", str(self._port), "--data", str(self._directory / "data"), "--fsync", "never"]
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "streams.cli", "broker", *words],
            cwd=self._directory,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": ""},  # as installed, which comes with bytecode
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(30)
            self._process = None

    def close(self) -> None:
        self.stop()
        shutil.rmtree(self._directory, ignore_errors=True)


class Kafka:
    """Apache Kafka with a heap of 1 GB, its usual one."""

    name = "Apache Kafka"

    def __init__(self) -> None:
        self._server = ApacheKafka()
        self._server.prepare()

    @property
    def bootstrap_servers(self) -> str:
        return self._server.bootstrap_servers

    @property
    def pid(self) -> int:
        return self._server.pid

    def spawn(self) -> None:
        self._server.spawn()

    def stop(self) -> None:
        self._server.stop()

    def close(self) -> None:
        self._server.close()
