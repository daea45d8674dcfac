"""A real Apache Kafka to compare with, and programs out of its jars. `make apache-kafka` fetches them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bench.apache_kafka.server import JARS, ApacheKafka

VERSION = "4.3.1"
"""As bench/apache_kafka/pom.xml says."""
SETTINGS = {
    "offsets.topic.num.partitions": "1",
    "transaction.state.log.num.partitions": "1",
    "group.consumer.min.assignment.interval.ms": "0",
    "group.consumer.assignment.interval.ms": "0",
    "group.consumer.assignor.offload.enable": "false",
}
"""As the bundled broker has its internal topics, so that they do not differ for that alone; and assignments of consumer
groups at once, as in Kafka 4.2."""

LOGGING = """\
status = off
rootLogger.level = off
"""
"""Tools are to say what they print, not what they log."""


def apache_kafka(**settings: str) -> ApacheKafka:
    """One node, to be entered as a context; settings by Kafka's names. Raises SystemExit where it cannot run."""
    reason = ApacheKafka.missing()
    if reason:
        raise SystemExit(reason)
    return ApacheKafka({**SETTINGS, **settings})


def java(*arguments: str, logging: Path, options: Sequence[str] = ()) -> list[str]:
    """The command line of a program in Kafka's jars, for short runs."""
    given = ["-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", f"-Dlog4j2.configurationFile={logging}"]
    return ["java", *given, *options, "-cp", f"{JARS}/*", *arguments]
