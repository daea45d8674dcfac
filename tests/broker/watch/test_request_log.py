"""The log of requests: a line for each, on demand."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from confluent_kafka import Producer

from broker import Broker, BrokerOptions
from tests.broker.waits import wait_for

ROOT = Path(__file__).resolve().parents[3]


def produce(broker: Broker | str, topic: str = "t", **properties: object) -> None:
    address = broker if isinstance(broker, str) else broker.bootstrap_servers
    client = Producer({"bootstrap.servers": address, "client.id": "shop", **properties})
    client.produce(topic, b"v")
    assert client.flush(10) == 0


def logged(caplog: pytest.LogCaptureFixture, api: str) -> list[logging.LogRecord]:
    return [record for record in caplog.records if record.name == "broker.requests" and vars(record)["api"] == api]


def test_request_is_logged_with_who_what_and_how_it_ended(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with Broker(options=BrokerOptions(log_requests=True), in_process=True) as broker:
        produce(broker, "no such topic", **{"message.timeout.ms": 1_000})
        produce(broker)
        wait_for(lambda: logged(caplog, "Produce"), "the line")
        (line,) = logged(caplog, "Produce")
    fields = vars(line)
    assert (fields["client_id"], fields["error"]) == ("shop", "NONE")
    assert fields["software"].startswith("confluent-kafka-python/")
    assert fields["address"].startswith("127.0.0.1:")
    assert 80 < fields["bytes"] < 300
    assert 0 < fields["ms"] < 10_000
    assert line.getMessage().startswith(f"Produce v{fields['version']} client=shop software=confluent-kafka-python/")
    errors = {vars(record)["error"] for record in logged(caplog, "Metadata")}
    assert errors >= {"NONE", "INVALID_TOPIC_EXCEPTION"}


def test_request_whose_connection_ends_before_the_answer_is_logged_so(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with Broker(in_process=True) as broker:
        broker.log_requests()
        broker.faults.close("Produce", times=1)
        produce(broker)
        assert [vars(record)["error"] for record in logged(caplog, "Produce")] == ["NO_ANSWER", "NONE"]


def test_log_of_requests_can_be_switched_off_again(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    with Broker(in_process=True) as broker:
        assert broker.running is not None
        assert broker.running.server.watching is None
        broker.log_requests()
        assert broker.running.server.watching is not None
        produce(broker)
        broker.log_requests(False)
        assert broker.running.server.watching is None
        before = len(caplog.records)
        produce(broker)
        assert [record for record in caplog.records[before:] if record.name == "broker.requests"] == []


def test_signal_switches_the_log_on_and_its_lines_can_be_json(tmp_path: Path) -> None:
    with (tmp_path / "said").open("wb") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "streams.cli", "broker", "--port", "0", "--log-format", "json"],
            cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, stderr=said, text=True,
        )  # fmt: skip
    assert process.stdout is not None
    try:
        address = process.stdout.readline().strip()
        process.send_signal(signal.SIGUSR2)
        wait_for(lambda: "requests are logged" in (tmp_path / "said").read_text(), "the switch")
        produce(address)

        def lines() -> list[dict[str, object]]:
            found = [json.loads(line) for line in (tmp_path / "said").read_text().splitlines()]
            return [line for line in found if line.get("api") == "Produce"]

        (line,) = wait_for(lines, "the line")
        assert (line["logger"], line["client_id"], line["error"]) == ("broker.requests", "shop", "NONE")
        process.send_signal(signal.SIGUSR2)
        wait_for(lambda: "no longer logged" in (tmp_path / "said").read_text(), "the switch")
    finally:
        process.terminate()
        process.communicate(timeout=20)
    assert process.returncode == 0
