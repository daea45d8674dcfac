"""Runs the tests that run on any cluster on a real Apache Kafka of one node.

python -m tests.on_apache_kafka [pytest's options]     after `make apache-kafka`; without options, all of them
"""

from __future__ import annotations

import subprocess
import sys

from bench.apache_kafka import ApacheKafka
from tests.cluster import SETTINGS


def main(arguments: list[str]) -> int:
    if reason := ApacheKafka.missing():
        sys.exit(f"Apache Kafka cannot be started: {reason}")
    with ApacheKafka(SETTINGS) as kafka:
        command = (sys.executable, "-m", "pytest", "-n", "0", "--bootstrap-servers", kafka.bootstrap_servers)
        return subprocess.call((*command, *arguments))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
