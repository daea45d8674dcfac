"""An application on a bundled broker that wants TLS and a password: data clients, group member and commands."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import AdminClient, NewTopic

from broker import Broker, BrokerOptions
from broker.security.sasl import Sasl
from broker.security.tls import Tls
from broker.server.listener import Listener
from streams import App
from streams.cli.home import Home
from streams.discovery import locate_broker
from streams.testing.worker_run import ThreadWorker
from tests.broker.security.authority import Authority
from tests.broker.waits import wait_for

USER, PASSWORD = "orders", "a password = of, some kind"
WORDS, COUNTS = "words", "counts"


@pytest.fixture
def broker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Broker]:
    """It announces itself in the working directory; the environment has who the client is, and not the protocol."""
    authority = Authority.new()
    server = authority.server()
    (tmp_path / "ca.pem").write_text(authority.pem)
    options = BrokerOptions(
        data=tmp_path / "data",
        listeners=(Listener(protocol="SASL_SSL"),),
        tls=Tls(certificate=server.certificate_pem, key=server.key_pem()),
        sasl=Sasl(mechanisms=("SCRAM-SHA-512",), users={USER: PASSWORD}),
        failed_authentication_delay_ms=1,
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HEADRACE_BOOTSTRAP_SERVERS", raising=False)
    for name, value in {
        "SSL_CA_LOCATION": str(tmp_path / "ca.pem"),
        "SASL_MECHANISM": "SCRAM-SHA-512",
        "SASL_USERNAME": USER,
        "SASL_PASSWORD": PASSWORD,
    }.items():
        monkeypatch.setenv(f"HEADRACE_CLIENT_{name}", value)
    with Broker(options=options) as running, ExitStack() as stack:
        protocol = running.endpoints[0].protocol
        stack.enter_context(Home.here().announce_broker(running.bootstrap_servers, tmp_path / "data", protocol))
        yield running


def word_count() -> App:
    app = App("word-count")
    counts = app.stream(WORDS, key=str, value=str).group_by_key().count(store="counts")
    counts.to_stream().to(COUNTS)
    return app


def properties(app: App) -> dict[str, str]:
    location = locate_broker()
    found = location.client_properties(app.settings.client_config)
    return {**found, "bootstrap.servers": location.bootstrap_servers, "log_level": "0"}


def test_application_counts_on_a_secured_broker_exactly_once(broker: Broker, tmp_path: Path) -> None:
    app = word_count()
    how = properties(app)
    assert how["security.protocol"] == "sasl_ssl"
    admin = AdminClient(how)
    for future in admin.create_topics([NewTopic(WORDS, 2), NewTopic(COUNTS, 2)]).values():
        future.result(20)
    worker = ThreadWorker(lambda listener: app.worker(state_dir=tmp_path / "state", listener=listener))
    producer = Producer(how)
    for word in ("it", "was", "it"):
        producer.produce(WORDS, word.encode(), word.encode())
    assert producer.flush(20) == 0
    consumer = Consumer({**how, "group.id": "reader", "auto.offset.reset": "earliest"})
    consumer.subscribe([COUNTS])
    newest: dict[str, int] = {}

    def counted() -> bool:
        message = consumer.poll(0.2)
        if message is not None and message.error() is None:
            newest[message.key().decode()] = int.from_bytes(message.value(), "big")
        return newest == {"it": 2, "was": 1}

    wait_for(counted, "the counts", seconds=40)
    worker.stop()
    consumer.close()
