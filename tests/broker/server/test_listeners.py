"""Several listeners: each with its own address, protocol and advertised address."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path
from typing import Any

import psutil
import pytest

from broker import Broker, BrokerError, BrokerOptions
from broker.security.sasl import OAuth, Sasl
from broker.security.tls import Tls
from broker.server.listener import Listener
from tests.broker.groups.wire import WireClient
from tests.broker.security.authority import Authority

INSIDE = Listener(name="INSIDE")
OUTSIDE = Listener(name="OUTSIDE", advertised_host="broker.example", advertised_port=19_092)
METADATA, FIND_COORDINATOR, DESCRIBE_CLUSTER, DESCRIBE_CONFIGS = 3, 10, 60, 32


def told(address: str) -> set[tuple[str, int]]:
    """All addresses that the broker tells a client of this one."""
    with WireClient(address) as client:
        brokers = [
            *client.ask(METADATA, 12, topics=[]).brokers,
            *client.ask(FIND_COORDINATOR, 4, key_type=0, coordinator_keys=["g"]).coordinators,
            client.ask(FIND_COORDINATOR, 0, key="g"),
            *client.ask(DESCRIBE_CLUSTER, 0).brokers,
        ]
    return {(one.host, one.port) for one in brokers}


@pytest.mark.parametrize("in_process", [False, True])
def test_clients_are_told_the_address_of_their_own_listener(in_process: bool) -> None:
    with Broker(options=BrokerOptions(listeners=(INSIDE, OUTSIDE)), in_process=in_process) as broker:
        inside = broker.bootstrap_servers_of("INSIDE")
        assert broker.bootstrap_servers == inside
        assert broker.bootstrap_servers_of("OUTSIDE") == "broker.example:19092"
        host, port = inside.split(":")
        assert told(inside) == {(host, int(port))}


def test_advertised_address_is_told_and_the_bound_port_kept_over_a_restart() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    outside = Listener(name="OUTSIDE", port=port, advertised_host="broker.example", advertised_port=19_092)
    with Broker(options=BrokerOptions(listeners=(INSIDE, outside))) as broker:
        inside = broker.bootstrap_servers
        for _ in range(2):
            assert told(f"127.0.0.1:{port}") == {("broker.example", 19_092)}
            broker.restart()
            assert broker.bootstrap_servers == inside


def test_unknown_listener_is_named() -> None:
    with Broker() as broker, pytest.raises(BrokerError, match=r"no listener 'X'; there are \['PLAINTEXT'\]"):
        broker.bootstrap_servers_of("X")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"listeners": (Listener(), Listener())}, "two listeners are called PLAINTEXT"),
        ({"listeners": (Listener(protocol="SSL"),)}, "listener SSL speaks TLS but has no certificate"),
        ({"listeners": (Listener(protocol="SASL_PLAINTEXT"),)}, "listener SASL_PLAINTEXT has SASL but no users"),
        ({"listeners": (Listener(name="A", protocol="TLS"),)}, "protocol 'TLS' of listener A is none of"),
        ({"sasl": Sasl(mechanisms=())}, "SASL without mechanisms"),
        ({"sasl": Sasl(mechanisms=("SCRAM-SHA-1",))}, "'SCRAM-SHA-1' of listener S is none of PLAIN"),
        ({"sasl": Sasl(users={"a": ""})}, "user 'a' of listener S needs a name and a password"),
        ({"sasl": Sasl(mechanisms=("OAUTHBEARER",))}, "exactly one of jwks, key and unsecured"),
        ({"sasl": Sasl(mechanisms=("OAUTHBEARER",), oauth=OAuth(unsecured=True, key="k"))}, "exactly one of"),
    ],
)
def test_options_that_contradict_themselves_are_refused(options: dict[str, Any], message: str) -> None:
    chosen = {"listeners": (Listener(name="S", protocol="SASL_PLAINTEXT"),), **options}
    with pytest.raises(BrokerError, match=message):
        Broker(options=BrokerOptions(**chosen), in_process=True).start()


def test_listener_that_cannot_be_bound_frees_the_others() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        before = len(psutil.Process().net_connections("inet"))
        listeners = (INSIDE, Listener(name="TAKEN", port=taken.getsockname()[1]))
        with pytest.raises(BrokerError, match="in use by another program; choose another port"):
            Broker(options=BrokerOptions(listeners=listeners), in_process=True).start()
        assert len(psutil.Process().net_connections("inet")) == before


# -- warnings ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("listener", "warning"),
    [
        (Listener(host="0.0.0.0"), "without authentication"),
        (Listener(host="0.0.0.0", protocol="SSL"), "without authentication"),
        (Listener(host="0.0.0.0", protocol="SASL_PLAINTEXT"), "without TLS"),
        (Listener(host="0.0.0.0", protocol="SASL_SSL"), None),
        (Listener(), None),
    ],
)
def test_open_listener_is_warned_of(listener: Listener, warning: str | None, caplog: pytest.LogCaptureFixture) -> None:
    server = Authority.new().server()
    tls = Tls(certificate=server.certificate_pem, key=server.key_pem())
    options = BrokerOptions(listeners=(listener,), tls=tls, sasl=Sasl(users={"a": "b"}))
    with Broker(options=options, in_process=True):
        pass
    lines = [line for line in caplog.messages if "open to the network" in line]
    assert (len(lines), warning is None or warning in lines[0]) == (0 if warning is None else 1, True)


# -- secrets -----------------------------------------------------------------------------------------------------------
SECRET = "hush-hush"


def test_secrets_are_shown_nowhere(tmp_path: Path) -> None:
    """Neither on the command line of the process, nor in its environment, options, configs or data."""
    authority = Authority.new()
    server = authority.server()
    options = BrokerOptions(
        data=tmp_path / "data",
        listeners=(Listener(), Listener(protocol="SASL_SSL")),
        tls=Tls(certificate=server.certificate_pem, key=server.key_pem(SECRET), key_password=SECRET),
        sasl=Sasl(users={"alice": SECRET}),
    )
    with Broker(options=options) as broker:
        assert broker.process is not None
        process = psutil.Process(broker.process.pid)
        with WireClient(broker.bootstrap_servers) as client:
            (answer,) = client.ask(
                DESCRIBE_CONFIGS, 4, resources=[{"resource_type": 4, "resource_name": "1", "configuration_keys": None}]
            ).results
        entries = {entry.name: entry for entry in answer.configs}
        shown = [" ".join(process.cmdline()), json.dumps(process.environ()), repr(options), repr(answer)]
    shown += [path.read_text(errors="replace") for path in tmp_path.rglob("*") if path.is_file()]
    assert not [text for text in shown if SECRET in text or "PRIVATE KEY" in text]
    assert entries["sasl.enabled.mechanisms"].value == "SCRAM-SHA-512,SCRAM-SHA-256,PLAIN"
    for name in ("sasl.jaas.config", "ssl.keystore.key", "ssl.key.password"):
        assert (entries[name].is_sensitive, entries[name].value) == (True, None)
    assert entries["listener.security.protocol.map"].value == "PLAINTEXT:PLAINTEXT,SASL_SSL:SASL_SSL"


def test_process_dies_when_its_parent_says_nothing() -> None:
    """The parent was killed before it could hand over the options."""
    import subprocess
    import sys

    found = subprocess.run(
        [sys.executable, "-P", "-m", "broker.child"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=20,
        check=False,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[3])},
    )
    assert (found.returncode, found.stdout, found.stderr) == (1, b"", b"")
