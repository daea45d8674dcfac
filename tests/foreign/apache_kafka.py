"""A real Apache Kafka to compare with, and programs out of its jars. `make apache-kafka` fetches them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bench.apache_kafka.server import JARS, ApacheKafka

VERSION = "4.3.1"
"""As bench/apache_kafka/pom.xml says."""
SETTINGS = {"offsets.topic.num.partitions": "1", "transaction.state.log.num.partitions": "1"}
"""As the bundled broker has its internal topics, so that they do not differ for that alone."""

LOGGING = """\
status = off
rootLogger.level = off
"""
"""Tools are to say what they print, not what they log."""


def apache_kafka() -> ApacheKafka:
    """One node, to be entered as a context. Raises SystemExit where it cannot run."""
    reason = ApacheKafka.missing()
    if reason:
        raise SystemExit(reason)
    return ApacheKafka(SETTINGS)


def java(*arguments: str, logging: Path, options: Sequence[str] = ()) -> list[str]:
    """The command line of a program in Kafka's jars, for short runs."""
    given = ["-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", f"-Dlog4j2.configurationFile={logging}"]
    return ["java", *given, *options, "-cp", f"{JARS}/*", *arguments]
