"""TLS listeners: certificates as files and as text, who is let in and as whom, what the log says of the rest."""

from __future__ import annotations

import socket
import ssl
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from broker import Broker, BrokerError, BrokerOptions
from broker.handlers import metadata
from broker.protocol.batches import encode_batch
from broker.security.principal import ANONYMOUS, Principal
from broker.security.tls import Tls
from broker.server.context import RequestContext
from broker.server.listener import Listener
from tests.broker.security.authority import CN, OU, Authority, Identity
from tests.broker.server.test_connection import fetch, frame, produce
from tests.broker.server.test_connection import metadata as topic_of
from tests.broker.waits import wait_for

API_VERSIONS, METADATA = 18, 3


def options(authority: Authority, **tls: Any) -> BrokerOptions:
    server = authority.server()
    chosen = {"certificate": server.certificate_pem, "key": server.key_pem(), **tls}
    return BrokerOptions(listeners=(Listener(protocol="SSL"),), tls=Tls(**chosen))


@contextmanager
def connected(broker: Broker, authority: Authority, identity: Identity | None = None) -> Iterator[ssl.SSLSocket]:
    """A client's connection, with a certificate if it has one."""
    context = ssl.create_default_context(cadata=authority.pem)
    if identity is not None:
        assert broker.data is not None
        certificate, key = identity.write(broker.data.parent, "client")
        context.load_cert_chain(certificate, key)
    with (
        socket.create_connection((broker.host, broker.port), timeout=20) as plain,
        context.wrap_socket(plain, server_hostname="127.0.0.1") as secured,
    ):
        yield secured


def ask(client: socket.socket, request: bytes) -> bytes:
    """Raises ConnectionError where there is no answer."""
    client.sendall(request)
    answer = b""
    while len(answer) < 4 or len(answer) < 4 + struct.unpack_from(">i", answer)[0]:
        chunk = client.recv(65_536)
        if not chunk:
            raise ConnectionResetError
        answer += chunk
    return answer


def log_of(caplog: pytest.LogCaptureFixture, text: str) -> None:
    wait_for(lambda: any(text in line for line in caplog.messages), f"{text!r} in the log")


# -- certificates ------------------------------------------------------------------------------------------------------
def as_files(identity: Identity, directory: Path) -> dict[str, Any]:
    certificate, key = identity.write(directory, "server")
    return {"certificate": certificate, "key": str(key)}


def as_one_file(identity: Identity, directory: Path) -> dict[str, Any]:
    path = directory / "both.pem"
    path.write_text(identity.key_pem() + identity.certificate_pem)
    return {"certificate": path}


def as_text(identity: Identity, directory: Path) -> dict[str, Any]:
    return {"certificate": identity.certificate_pem, "key": identity.key_pem("pw"), "key_password": "pw"}


def as_one_text(identity: Identity, directory: Path) -> dict[str, Any]:
    return {"certificate": identity.certificate_pem + identity.key_pem()}


@pytest.mark.parametrize("form", [as_files, as_one_file, as_text, as_one_text])
def test_certificate_is_taken_in_each_form(
    authority: Authority, tmp_path: Path, form: Callable[[Identity, Path], dict[str, Any]]
) -> None:
    tls = Tls(**form(authority.server(), tmp_path))
    context = tls.context()
    assert context.verify_mode is ssl.CERT_NONE
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    assert "BEGIN" not in repr(tls)
    assert "pw" not in repr(tls)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"certificate": "/no/such.pem"}, r"certificate /no/such\.pem with the key \(given as text\)"),
        ({"key": Authority.new().server().key_pem()}, "belong together"),
        ({"key": None}, "the key beside it"),
        ({"key": Authority.new().server().key_pem("pw")}, "password must be right"),
        ({"client_authentication": "required"}, "needs client_authorities"),
        ({"client_authentication": "required", "client_authorities": "/no/ca.pem"}, r"client_authorities /no/ca\.pem"),
        ({"principal_mapping_rules": ("x",)}, "principal mapping rule 'x'"),
    ],
)
def test_what_is_wrong_with_a_certificate_is_said_at_the_start(
    authority: Authority, change: dict[str, Any], message: str
) -> None:
    with pytest.raises(BrokerError, match=message) as caught:
        Broker(options=options(authority, **change)).start()
    assert "PRIVATE" not in str(caught.value)


# -- who is let in, and as whom ----------------------------------------------------------------------------------------
@pytest.fixture
def principals(monkeypatch: pytest.MonkeyPatch) -> list[Principal]:
    """Who asked for metadata of a broker in this process."""
    found: list[Principal] = []
    plain = metadata.handle

    def handle(ctx: RequestContext, request: Any) -> Any:
        found.append(ctx.principal)
        return plain(ctx, request)

    handle.api = plain.api  # pyright: ignore[reportFunctionMemberAccess]
    monkeypatch.setattr(metadata, "handle", handle)
    return found


ALICE = "CN=alice,OU=orders"


@pytest.mark.parametrize(
    ("rules", "name"), [(("DEFAULT",), ALICE), (("RULE:^CN=(.*?),OU=orders$/$1/U", "DEFAULT"), "ALICE")]
)
def test_client_is_named_after_its_certificate(
    authority: Authority, principals: list[Principal], rules: tuple[str, ...], name: str
) -> None:
    chosen = options(
        authority,
        client_authorities=authority.pem,
        client_authentication="required",
        principal_mapping_rules=rules,
    )
    alice = authority.sign([(OU, "orders"), (CN, "alice")])
    with Broker(options=chosen, in_process=True) as broker, connected(broker, authority, alice) as client:
        ask(client, frame(METADATA, 1, 1, struct.pack(">i", 0)))
    assert principals == [Principal("User", name)]


def test_client_without_a_certificate_is_anonymous_where_it_is_requested(
    authority: Authority, principals: list[Principal]
) -> None:
    chosen = options(authority, client_authorities=authority.pem, client_authentication="requested")
    with Broker(options=chosen, in_process=True) as broker, connected(broker, authority) as client:
        ask(client, frame(METADATA, 1, 1, struct.pack(">i", 0)))
    assert principals == [ANONYMOUS]


def test_client_no_rule_applies_to_is_hung_up_on(authority: Authority, caplog: pytest.LogCaptureFixture) -> None:
    chosen = options(
        authority,
        client_authorities=authority.pem,
        client_authentication="required",
        principal_mapping_rules=("RULE:CN=bob/b/",),
    )
    alice = authority.sign([(OU, "orders"), (CN, "alice")])
    with Broker(options=chosen, in_process=True) as broker, connected(broker, authority, alice) as client:
        with pytest.raises((ConnectionError, ssl.SSLError)):
            ask(client, frame(API_VERSIONS, 0, 1))
        log_of(caplog, f"no principal mapping rule applies to '{ALICE}'")


# -- refusals are cheap and clear --------------------------------------------------------------------------------------
def hello(broker: Broker, data: bytes) -> None:
    """Says something and waits until the broker hangs up."""
    with socket.create_connection((broker.host, broker.port), timeout=20) as client:
        client.sendall(data)
        try:
            while client.recv(4_096):
                pass
        except ConnectionResetError:
            pass


def test_log_says_why_a_handshake_failed(authority: Authority, caplog: pytest.LogCaptureFixture) -> None:
    chosen = options(authority, client_authorities=authority.pem, client_authentication="required")
    stranger = Authority.new("stranger")
    with Broker(options=chosen, in_process=True) as broker:
        hello(broker, frame(API_VERSIONS, 0, 1))
        log_of(caplog, "TLS listener SSL: it does not speak TLS, and the listener does: set security.protocol=ssl")
        hello(broker, b"GET / HTTP/1.1\r\n\r\n")
        log_of(caplog, "TLS listener SSL: it speaks HTTP")
        with socket.create_connection((broker.host, broker.port)) as client:
            client.sendall(b"\x16\x03\x01")
        log_of(caplog, "TLS listener SSL: it hung up during the TLS handshake")
        with pytest.raises(ssl.SSLError), connected(broker, stranger):
            pass
        log_of(caplog, "it does not believe the broker's certificate (unknown authority)")
        for identity, reason in (
            (None, "it showed no certificate, and the listener requires one"),
            (stranger.sign([(CN, "mallory")]), "its certificate is not to be believed"),
        ):
            with connected(broker, authority, identity) as client, pytest.raises((OSError, ssl.SSLError)):
                ask(client, frame(API_VERSIONS, 0, 1))  # with TLS 1.3 the client learns of it late
            log_of(caplog, reason)
        with connected(broker, authority, authority.sign([(CN, "alice")])) as client:
            ask(client, frame(API_VERSIONS, 0, 1))


def test_tls_client_on_a_plain_listener_is_told_apart(caplog: pytest.LogCaptureFixture) -> None:
    with Broker(in_process=True) as broker:
        hello(broker, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(64))
        log_of(caplog, "speaks TLS, and listener PLAINTEXT does not: set security.protocol=plaintext")
        hello(broker, b"GET / HTTP/1.1\r\n\r\n")
        log_of(caplog, "speaks HTTP, and listener PLAINTEXT speaks Kafka's protocol")


def test_silent_client_keeps_nobody_waiting(authority: Authority) -> None:
    with Broker(options=options(authority)) as broker:
        silent = [socket.create_connection((broker.host, broker.port)) for _ in range(20)]
        with connected(broker, authority) as client:
            ask(client, frame(API_VERSIONS, 0, 1))
        for each in silent:
            each.close()


# -- back-pressure -----------------------------------------------------------------------------------------------------
def test_client_that_does_not_read_is_not_read_from(authority: Authority) -> None:
    """The broker stops at a few answers, whatever else it is asked; its memory stays, and others are served."""
    request = fetch(1, "t", 0, max_wait=0)
    with Broker(options=options(authority)) as broker:
        assert broker.process is not None
        process = psutil.Process(broker.process.pid)
        with connected(broker, authority) as writer:
            batch = encode_batch([(None, b"x" * 500_000)], 0)
            ask(writer, topic_of(1, "t"))
            ask(writer, produce(1, "t", batch))
            with connected(broker, authority) as deaf:
                assert len(ask(deaf, request)) > 500_000
                before = process.memory_info().rss
                deaf.settimeout(1.0)
                with pytest.raises(TimeoutError):
                    deaf.sendall(request * 200_000)
                assert process.memory_info().rss - before < 40_000_000
                ask(writer, produce(2, "t", batch))
                # Read in the end, each answer comes whole.
                deaf.settimeout(20)
                size = 0
                for _ in range(5):
                    (size,) = struct.unpack(">i", exactly(deaf, 4))
                    exactly(deaf, size)
                assert size > 500_000


def exactly(client: socket.socket, size: int) -> bytes:
    data = bytearray()
    while len(data) < size:
        chunk = client.recv(size - len(data))
        assert chunk
        data += chunk
    return bytes(data)
