"""What figures were measured on, and with which versions."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import confluent_kafka
import psutil

from bench.apache_kafka.server import HEAP, JARS
from bench.peers import HERE, JAVA_TARGET, LIBRARIES, PEERS, Package, interpreter
from bench.topics import PARTITIONS

OURS = ("confluent-kafka", "rocksdict", "msgspec")


def about(brokers: list[str]) -> dict[str, object]:
    """Date, machine, versions and settings, as results begin with."""
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "machine": {
            "cpu": cpu_model(),
            "cores": os.cpu_count(),
            "memory_gb": round(psutil.virtual_memory().total / 1e9),
            "kernel": platform.platform(),
        },
        "versions": {name: told for name, told in versions().items() if told},
        "settings": {
            "brokers": brokers,
            "partitions": PARTITIONS,
            "Apache Kafka": f"one node, KRaft, {' '.join(HEAP)}, no fsync",
            "bundled broker": "fsync never",
            **{
                peer.name: " ".join([*(f"{k}={v}" for k, v in peer.environment.items()), *peer.settings]) or "defaults"
                for peer in PEERS.values()
            },
        },
    }


def cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor()


def versions() -> dict[str, str | None]:
    found: dict[str, str | None] = {"headrace": commit(), "python": platform.python_version()}
    found["librdkafka"] = confluent_kafka.libversion()[0]
    found |= {name: installed(name) for name in OURS}
    found |= {"java": java(), "kafka": jar("kafka-clients", JARS)}
    found["kafka-streams"] = jar("kafka-streams", JAVA_TARGET / "lib")
    packages: dict[Package, str] = {"quix": "quixstreams", "bytewax": "bytewax", "faust": "faust-streaming"}
    return found | {distribution: elsewhere(package, distribution) for package, distribution in packages.items()}


def installed(distribution: str) -> str | None:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None


def elsewhere(package: Package, distribution: str) -> str | None:
    """The version where the programs of the package run, with that of the client there."""
    python = interpreter(package)
    assert package in LIBRARIES
    if python is None:
        return None
    if python == sys.executable:
        return installed(distribution)
    ask = f"from importlib.metadata import version; print(version({distribution!r}))"
    return output(python, "-c", ask)


def commit() -> str | None:
    """The version, and the commit if this is a checkout."""
    described = output("git", "-C", str(HERE), "describe", "--always", "--dirty")
    return " ".join(part for part in (installed("headrace"), described) if part) or None


def java() -> str | None:
    told = output("java", "-version")
    return told.splitlines()[0] if told else None


def jar(name: str, directory: Path) -> str | None:
    """The version in a jar's name."""
    for path in directory.glob(f"{name}-*.jar"):
        if found := re.fullmatch(rf"{name}-([\d.]+)\.jar", path.name):
            return found[1]
    return None


def output(*command: str) -> str | None:
    """What a command says; None where it is not there or fails."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return None
    return (done.stdout or done.stderr).strip() if done.returncode == 0 else None
