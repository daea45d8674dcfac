"""A SASL listener byte by byte: what is served before authentication, sessions that end, tokens without requests."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from kio.schema.errors import ErrorCode

from broker import Broker, BrokerOptions
from broker.protocol.advertised import ADVERTISED
from broker.protocol.api_keys import ApiKey
from broker.security.sasl import OAuth, Sasl
from broker.server.listener import Listener
from broker.server.sasl_connection import GATE
from tests.broker.groups.wire import WireClient
from tests.broker.security.tokens import unsecured
from tests.broker.waits import wait_for

PLAIN_TOKEN = b"\0alice\0wonder"
METADATA, API_VERSIONS, HANDSHAKE, AUTHENTICATE = 3, 18, 17, 36


def options(**sasl: Any) -> BrokerOptions:
    chosen = {"mechanisms": ("PLAIN", "SCRAM-SHA-256"), "users": {"alice": "wonder", "bob": "builder"}, **sasl}
    return BrokerOptions(
        listeners=(Listener(protocol="SASL_PLAINTEXT"), Listener()),
        sasl=Sasl(**chosen),
        failed_authentication_delay_ms=1,
    )


@pytest.fixture(scope="module")
def broker() -> Iterator[Broker]:
    with Broker(options=options(), in_process=True) as running:
        yield running


@contextmanager
def connected(broker: Broker) -> Iterator[WireClient]:
    with WireClient(broker.bootstrap_servers) as client:
        yield client


def authenticate(client: WireClient, token: bytes = PLAIN_TOKEN, version: int = 2) -> Any:
    shaken = client.ask(HANDSHAKE, 1, mechanism="PLAIN")
    assert shaken.error_code == ErrorCode.none
    return client.ask(AUTHENTICATE, version, auth_bytes=token)


def is_closed(client: WireClient) -> bool:
    try:
        return client.socket.recv(1) == b""
    except ConnectionResetError:
        return True


def log_of(caplog: pytest.LogCaptureFixture, text: str) -> str:
    return wait_for(lambda: next((line for line in caplog.messages if text in line), None), f"{text!r} in the log")


# -- before authentication ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize("key", sorted(set(ADVERTISED) - set(GATE)))
def test_no_other_api_is_served_before_authentication(
    broker: Broker, key: ApiKey, caplog: pytest.LogCaptureFixture
) -> None:
    """The body is not even looked at."""
    version = ADVERTISED[key][1]
    with connected(broker) as client:
        payload = struct.pack(">hhih", key, version, 1, 4) + b"wire" + b"\xff" * 20
        client.socket.sendall(struct.pack(">i", len(payload)) + payload)
        assert is_closed(client)
    log_of(caplog, f"asked for {key.name} before it had authenticated")


def test_api_versions_is_served_before_and_after(broker: Broker) -> None:
    with connected(broker) as client:
        for version in (0, 3):
            answer = client.ask(API_VERSIONS, version, client_software_name="test", client_software_version="1")
            assert {line.api_key for line in answer.api_keys} == set(ADVERTISED)
        authenticate(client)
        assert client.ask(API_VERSIONS, 0).error_code == ErrorCode.none


@pytest.mark.parametrize("version", [0, 1, 2])
def test_authenticated_client_is_served(broker: Broker, version: int) -> None:
    with connected(broker) as client:
        answer = authenticate(client, version=version)
        assert (answer.error_code, answer.error_message) == (ErrorCode.none, None)
        assert client.ask(METADATA, 12, topics=[]).brokers[0].port == broker.port


def test_requests_sent_without_waiting_are_served_in_order(broker: Broker) -> None:
    with connected(broker) as client:
        frames = [
            client.frame(HANDSHAKE, 1, mechanism="PLAIN"),
            client.frame(AUTHENTICATE, 1, auth_bytes=PLAIN_TOKEN),
            client.frame(METADATA, 12, topics=[]),
        ]
        client.socket.sendall(b"".join(frames))
        for correlation_id, (key, version) in enumerate(((HANDSHAKE, 1), (AUTHENTICATE, 1), (METADATA, 12)), 1):
            client.correlation_id = correlation_id
            client.receive(key, version)


def test_wrong_password_is_answered_and_then_closed(broker: Broker, caplog: pytest.LogCaptureFixture) -> None:
    with connected(broker) as client:
        answer = authenticate(client, b"\0alice\0guess")
        assert answer.error_code == ErrorCode.sasl_authentication_failed
        assert answer.error_message == "Authentication failed: Invalid username or password"
        assert is_closed(client)
    assert "guess" not in log_of(caplog, "failed to authenticate by PLAIN")


def test_what_follows_a_wrong_password_is_not_served(broker: Broker) -> None:
    with connected(broker) as client:
        client.ask(HANDSHAKE, 1, mechanism="PLAIN")
        client.send(AUTHENTICATE, 1, auth_bytes=b"\0alice\0guess")
        refused = client.correlation_id
        client.send(METADATA, 12, topics=[])
        client.correlation_id = refused
        assert client.receive(AUTHENTICATE, 1).error_code == ErrorCode.sasl_authentication_failed
        assert is_closed(client)


@pytest.mark.parametrize("version", [0, 1])
def test_unknown_mechanism_is_answered_with_those_there_are(broker: Broker, version: int) -> None:
    with connected(broker) as client:
        answer = client.ask(HANDSHAKE, version, mechanism="GSSAPI")
        assert answer.error_code == ErrorCode.unsupported_sasl_mechanism
        assert answer.mechanisms == ("PLAIN", "SCRAM-SHA-256")
        assert is_closed(client)


def test_token_without_a_handshake_is_refused(broker: Broker) -> None:
    with connected(broker) as client:
        assert client.ask(AUTHENTICATE, 1, auth_bytes=PLAIN_TOKEN).error_code == ErrorCode.illegal_sasl_state
        assert is_closed(client)


def test_large_request_before_authentication_is_refused(broker: Broker, caplog: pytest.LogCaptureFixture) -> None:
    with connected(broker) as client:
        client.socket.sendall(struct.pack(">i", 600_000))
        assert is_closed(client)
    log_of(caplog, "announced a request of 600000 bytes")
    with connected(broker) as client:
        authenticate(client)
        client.socket.sendall(struct.pack(">i", 600_000))
        client.socket.settimeout(0.1)
        with pytest.raises(TimeoutError):
            client.socket.recv(1)


@pytest.mark.parametrize("data", [b"\0" * 64, b"\xff" * 64, b"GET / HTTP/1.1\r\n\r\n", bytes(range(64))])
def test_garbage_is_hung_up_on(broker: Broker, data: bytes) -> None:
    with connected(broker) as client:
        client.socket.sendall(data)
        client.socket.shutdown(socket.SHUT_WR)
        assert is_closed(client)
    with connected(broker) as client:
        assert authenticate(client).error_code == ErrorCode.none


def test_listener_without_sasl_says_so_and_goes_on(broker: Broker) -> None:
    with WireClient(broker.bootstrap_servers_of("PLAINTEXT")) as client:
        assert client.ask(HANDSHAKE, 1, mechanism="PLAIN").error_code == ErrorCode.illegal_sasl_state
        assert client.ask(AUTHENTICATE, 2, auth_bytes=b"").error_code == ErrorCode.illegal_sasl_state
        assert client.ask(METADATA, 12, topics=[]).brokers


# -- tokens without requests (handshake 0) -----------------------------------------------------------------------------
def bare(client: WireClient, token: bytes) -> bytes:
    client.socket.sendall(struct.pack(">i", len(token)) + token)
    (size,) = struct.unpack(">i", client.read(4))
    return client.read(size)


def test_handshake_0_takes_bare_tokens_then_requests(broker: Broker) -> None:
    with connected(broker) as client:
        assert client.ask(HANDSHAKE, 0, mechanism="PLAIN").error_code == ErrorCode.none
        assert bare(client, PLAIN_TOKEN) == b""
        assert client.ask(METADATA, 12, topics=[]).brokers


def test_handshake_0_with_several_tokens(broker: Broker) -> None:
    with connected(broker) as client:
        client.ask(HANDSHAKE, 0, mechanism="SCRAM-SHA-256")
        assert bare(client, b"n,,n=a,r=x").startswith(b"r=x")


@pytest.mark.parametrize("token", [b"\0alice\0guess", b"", b"x"])
def test_handshake_0_with_a_wrong_token_is_hung_up_on(broker: Broker, token: bytes) -> None:
    with connected(broker) as client:
        client.ask(HANDSHAKE, 0, mechanism="PLAIN")
        client.socket.sendall(struct.pack(">i", len(token)) + token)
        assert is_closed(client)


# -- sessions ----------------------------------------------------------------------------------------------------------
def test_session_that_has_expired_is_closed_at_the_next_request(caplog: pytest.LogCaptureFixture) -> None:
    with Broker(options=options(max_reauth_ms=50), in_process=True) as broker, connected(broker) as client:
        assert authenticate(client).session_lifetime.total_seconds() == 0.05
        wait_for(lambda: is_refused(client), "the end of the session")
        log_of(caplog, "asked for METADATA after its session had expired")


def is_refused(client: WireClient) -> bool:
    try:
        client.ask(METADATA, 12, topics=[])
    except (AssertionError, ConnectionError):  # the client's own: the connection is closed
        return True
    return False


def test_client_that_authenticates_again_goes_on() -> None:
    """As the second user it may not; the interval of a second is passed by the broker's own clock."""
    with Broker(options=options(max_reauth_ms=60_000), in_process=True) as broker:
        for token, code in ((PLAIN_TOKEN, ErrorCode.none), (b"\0bob\0builder", ErrorCode.sasl_authentication_failed)):
            with connected(broker) as client:
                authenticate(client)
                again = wait_for(lambda: reauthenticated(client, token), "leave to authenticate again")  # noqa: B023
                assert again.error_code == code
                if code is ErrorCode.none:
                    assert client.ask(METADATA, 12, topics=[]).brokers
                else:
                    assert is_closed(client)


def reauthenticated(client: WireClient, token: bytes) -> Any:
    """None while it is too soon, which the connection survives."""
    if client.ask(HANDSHAKE, 1, mechanism="PLAIN").error_code == ErrorCode.illegal_sasl_state:
        assert client.ask(METADATA, 12, topics=[]).brokers
        return None
    return client.ask(AUTHENTICATE, 2, auth_bytes=token)


def test_token_bounds_the_session() -> None:
    import time

    sasl = options(mechanisms=("OAUTHBEARER",), oauth=OAuth(unsecured=True), max_reauth_ms=3_600_000)
    with Broker(options=sasl, in_process=True) as broker, connected(broker) as client:
        client.ask(HANDSHAKE, 1, mechanism="OAUTHBEARER")
        token = unsecured({"sub": "alice", "exp": int(time.time()) + 60})
        answer = client.ask(AUTHENTICATE, 2, auth_bytes=f"n,,\x01auth=Bearer {token}\x01\x01".encode())
        assert 50 < answer.session_lifetime.total_seconds() <= 60
