"""kcat, an older librdkafka (2.0), as it is."""

from __future__ import annotations

import shutil
import subprocess
from uuid import uuid4

import pytest

from broker import Broker

pytestmark = pytest.mark.skipif(shutil.which("kcat") is None, reason="kcat is not installed")


def kcat(broker: Broker, *arguments: str, records: str = "") -> str:
    command = ["kcat", "-b", broker.bootstrap_servers, *arguments]
    return subprocess.run(command, input=records, capture_output=True, text=True, timeout=30, check=True).stdout


@pytest.mark.parametrize("codec", ["none", "gzip", "snappy", "lz4", "zstd"])
def test_kcat_produced_records_come_back_in_order_with_keys_and_headers(broker: Broker, codec: str) -> None:
    topic = f"kcat-{uuid4().hex[:8]}"
    sent = [f"key{i}:value{i}" for i in range(200)]
    kcat(broker, "-P", "-t", topic, "-p", "0", "-K:", "-H", "trace=1", "-z", codec, records="\n".join(sent))
    got = kcat(broker, "-C", "-t", topic, "-o", "beginning", "-e", "-q", "-f", "%k:%s %h\n")
    assert got.splitlines() == [f"{record} trace=1" for record in sent]


def test_kcat_lists_brokers_and_topics(broker: Broker) -> None:
    topic = f"kcat-{uuid4().hex[:8]}"
    kcat(broker, "-P", "-t", topic, records="x")
    listing = kcat(broker, "-L")
    assert f"at {broker.bootstrap_servers}" in listing
    assert f'topic "{topic}" with 1 partitions' in listing


def test_kcat_offset_by_timestamp_is_the_first_record_from_then(broker: Broker) -> None:
    topic = f"kcat-{uuid4().hex[:8]}"
    kcat(broker, "-P", "-t", topic, "-p", "0", records="a\nb\n")
    assert kcat(broker, "-Q", "-t", f"{topic}:0:0").strip().endswith("offset 0")
    assert kcat(broker, "-Q", "-t", f"{topic}:0:-1").strip().endswith("offset 2")
