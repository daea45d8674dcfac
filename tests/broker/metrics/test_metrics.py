"""What a scraper finds at the metrics port, and whether it is true."""

from __future__ import annotations

import http.client
import json
import socket
import threading
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from confluent_kafka import Consumer, Producer
from prometheus_client.parser import text_string_to_metric_families

from broker import AddressInUseError, Broker, BrokerError, BrokerOptions
from broker.metrics import METRICS
from tests.broker.waits import wait_for

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


@pytest.fixture(params=["process", "thread"])
def broker(request: pytest.FixtureRequest) -> Iterator[Broker]:
    with Broker(metrics=True, in_process=request.param == "thread") as running:
        yield running


def get(broker: Broker, path: str, method: str = "GET", **headers: str) -> tuple[int, str]:
    url = urlsplit(broker.metrics_url)
    connection = http.client.HTTPConnection(url.hostname or "", url.port, timeout=10)
    try:
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def scrape(broker: Broker) -> Samples:
    status, text = get(broker, "/metrics")
    assert status == 200
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def value(samples: Samples, name: str, **labels: str) -> float:
    return samples[name, tuple(sorted(labels.items()))]


def test_counts_are_what_the_clients_did(broker: Broker) -> None:
    producer = Producer({"bootstrap.servers": broker.bootstrap_servers, "transactional.id": "x"})
    producer.init_transactions(10)
    producer.begin_transaction()
    for number in range(100):
        producer.produce("t", b"0123456789", partition=0)
        if number == 49:
            assert producer.flush(10) == 0
    assert producer.flush(10) == 0
    samples = scrape(broker)
    assert value(samples, "kafka_server_brokertopicmetrics_messagesin_total", topic="t") == 100
    assert value(samples, "kafka_log_log_logendoffset", topic="t", partition="0") == 100
    assert value(samples, "kafka_cluster_partition_laststableoffsetlag", topic="t", partition="0") == 100
    assert value(samples, "headrace_broker_transactions", state="Ongoing") == 1
    size = value(samples, "kafka_log_log_size", topic="t", partition="0")
    assert value(samples, "kafka_server_brokertopicmetrics_bytesin_total", topic="t") == size > 1_000
    counted = "kafka_network_requestmetrics_requests_total"
    (requests,) = [n for (name, labels), n in samples.items() if name == counted and ("request", "Produce") in labels]
    assert requests >= 2
    assert value(samples, "headrace_broker_request_seconds_count", request="Produce") == requests
    assert value(samples, "headrace_broker_request_seconds_bucket", request="Produce", le="+Inf") == requests
    assert value(samples, "kafka_network_requestmetrics_requestbytes_total", request="Produce") > size

    producer.commit_transaction(10)
    consumer = Consumer(
        {"bootstrap.servers": broker.bootstrap_servers, "group.id": "g", "auto.offset.reset": "earliest"}
    )
    consumer.subscribe(["t"])
    for _ in range(100):
        assert wait_for(lambda: consumer.poll(0.1), "a record").error() is None
    consumer.commit(asynchronous=False)
    samples = scrape(broker)
    assert value(samples, "kafka_cluster_partition_laststableoffsetlag", topic="t", partition="0") == 0
    assert value(samples, "kafka_server_brokertopicmetrics_bytesout_total") > size
    assert value(samples, "kafka_coordinator_group_groupmetadatamanager_numgroupsstable") == 1
    assert value(samples, "kafka_coordinator_group_groupmetadatamanager_numoffsets") == 1
    assert value(samples, "headrace_broker_group_members", group="g") == 1
    assert value(samples, "kafka_server_socket_server_metrics_connection_count") >= 2
    consumer.close()


def test_errors_are_counted_by_their_names(broker: Broker) -> None:
    producer = Producer({"bootstrap.servers": broker.bootstrap_servers, "retry.backoff.ms": 1})
    producer.produce("t", b"v")
    assert producer.flush(10) == 0
    broker.faults.error("Produce", "NOT_ENOUGH_REPLICAS", times=2)
    producer.produce("t", b"v")
    assert producer.flush(10) == 0
    samples = scrape(broker)
    labels = {"request": "Produce", "error": "NOT_ENOUGH_REPLICAS"}
    assert value(samples, "kafka_network_requestmetrics_errors_total", **labels) == 2


def test_syncs_are_counted() -> None:
    with Broker(metrics=True, fsync="always") as broker:
        producer = Producer({"bootstrap.servers": broker.bootstrap_servers})
        producer.produce("t", b"v")
        assert producer.flush(10) == 0
        assert value(scrape(broker), "kafka_log_logflushstats_logflushrateandtimems_count") >= 1


def test_records_from_before_the_start_are_not_counted_again() -> None:
    with Broker(metrics=True) as broker:
        producer = Producer({"bootstrap.servers": broker.bootstrap_servers})
        producer.produce("t", b"v")
        assert producer.flush(10) == 0
        url = broker.metrics_url
        broker.restart()
        assert broker.metrics_url == url
        samples = scrape(broker)
        assert value(samples, "kafka_server_brokertopicmetrics_messagesin_total", topic="t") == 0
        assert value(samples, "kafka_log_log_logendoffset", topic="t", partition="0") == 1


def test_every_declared_metric_is_exposed_once(broker: Broker) -> None:
    _, text = get(broker, "/metrics")
    declared = [metric.name for metrics in METRICS.values() for metric in metrics]
    assert len(set(declared)) == len(declared)
    for name in declared:
        assert text.count(f"# TYPE {name} ") == 1
    assert "# TYPE headrace_broker_request_seconds histogram" in text


def test_health_and_other_paths(broker: Broker) -> None:
    assert get(broker, "/health/live") == (200, '{"state": "live"}')
    status, body = get(broker, "/health/ready")
    assert (status, json.loads(body)) == (200, {"state": "ready", "failed_partitions": []})
    assert get(broker, "/elsewhere")[0] == 404
    assert get(broker, "/metrics", method="POST")[0] == 405
    assert get(broker, "/metrics", method="HEAD") == (200, "")
    openmetrics = get(broker, "/metrics", Accept="application/openmetrics-text")[1]
    assert openmetrics.endswith("# EOF\n")


@pytest.mark.parametrize("garbage", [b"\r\n\r\n", b"GET\r\n\r\n", b"\x16\x03\x01" * 40_000, b""])
def test_garbage_hurts_nobody(broker: Broker, garbage: bytes) -> None:
    url = urlsplit(broker.metrics_url)
    with socket.create_connection((url.hostname, url.port), timeout=10) as client:
        try:
            client.sendall(garbage)
            client.shutdown(socket.SHUT_WR)
            while client.recv(65_536):
                pass
        except ConnectionError:
            pass  # cut off in the midst of it
    assert get(broker, "/health/live")[0] == 200


def test_metrics_port_in_use_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(AddressInUseError, match=r"choose another port \(--metrics-port\)"):
            Broker(options=BrokerOptions(metrics_port=port)).start()


def test_broker_without_metrics_has_no_url_and_no_counting() -> None:
    with Broker(in_process=True) as broker:
        with pytest.raises(BrokerError, match="metrics=True"):
            _ = broker.metrics_url
        assert broker.running is not None
        assert broker.running.server.watching is None


def test_metrics_leave_nothing_behind() -> None:
    before = set(threading.enumerate())
    with Broker(metrics=True, in_process=True) as broker:
        url = urlsplit(broker.metrics_url)
        scrape(broker)
    assert set(threading.enumerate()) <= before
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((url.hostname, url.port), timeout=5)
