"""What comes to listeners with SASL and TLS: conversations good and bad, handshakes cut short, and noise."""

from __future__ import annotations

import os
import socket
import ssl
from contextlib import suppress
from dataclasses import dataclass
from random import Random

from kio.index import load_request_schema

from broker.options import BrokerOptions
from broker.protocol.api_keys import ApiKey
from broker.security.sasl import OAuth, Sasl
from broker.security.tls import Tls
from broker.server.listener import Endpoint, Listener
from tests.broker.security.authority import Authority
from tests.broker.security.tokens import unsecured
from tests.soak.wire_frames import FrameMaker, with_size

USER, PASSWORD = "alice", "wonder"
MECHANISMS = ("PLAIN", "PLAIN", "PLAIN", "SCRAM-SHA-256", "OAUTHBEARER", "GSSAPI", "", "x" * 300)
TOKENS = (
    f"\0{USER}\0{PASSWORD}".encode(),
    f"\0{USER}\0wrong".encode(),
    f"n,,n={USER},r=abcdefgh".encode(),
    b"n,,n=nobody,r=abcdefgh",
    b"c=biws,r=abcdefgh,p=cHJvb2Y=",
    b"n,,\x01auth=Bearer " + unsecured({"sub": USER, "exp": 2_000_000_000}).encode() + b"\x01\x01",
    b"",
)
PATIENCE_S = 20.0


def guarded_options(authority: Authority, **more: object) -> BrokerOptions:
    """Listeners of all protocols, and an authorizer that lets those in who are not told otherwise."""
    server = authority.server()
    return BrokerOptions(
        listeners=(
            Listener(),
            Listener(protocol="SASL_PLAINTEXT"),
            Listener(protocol="SSL"),
            Listener(protocol="SASL_SSL"),
        ),
        tls=Tls(
            certificate=server.certificate_pem,
            key=server.key_pem(),
            client_authorities=authority.pem,
            client_authentication="requested",
        ),
        sasl=Sasl(
            mechanisms=("PLAIN", "SCRAM-SHA-256", "OAUTHBEARER"),
            users={USER: PASSWORD},
            oauth=OAuth(unsecured=True),
        ),
        failed_authentication_delay_ms=1,
        authorizer=True,
        super_users=("User:ANONYMOUS",),
        allow_everyone_if_no_acl_found=True,
        **more,  # type: ignore[arg-type]
    )


@dataclass(frozen=True)
class Call:
    """What one connection sends: within TLS, and beside it on the bare socket."""

    tls: bool
    data: bytes
    frames: int
    noise: bytes = b""
    """Sent when all else is, by one who has forgotten about TLS."""


class GateMaker:
    """Calls for listeners with SASL or TLS."""

    def __init__(self, random: Random, maker: FrameMaker) -> None:
        self.random = random
        self.maker = maker
        self.hello = client_hello()

    def call(self, listener: Endpoint) -> Call:
        tls = listener.protocol.endswith("SSL")
        if tls and self.random.random() < 0.5:
            return Call(False, self.tls_noise(), 1)
        frames, rest = self.conversation() if listener.protocol.startswith("SASL") else self.maker.client()
        noise = self.random.randbytes(self.random.choice((1, 5, 100))) if tls and self.random.random() < 0.2 else b""
        return Call(tls, b"".join(frames) + rest, len(frames) + bool(rest) + bool(noise), noise)

    def conversation(self) -> tuple[list[bytes], bytes]:
        """Handshake and tokens in an order that may be right, then what anyone sends."""
        random = self.random
        frames: list[bytes] = []
        if random.random() < 0.2:
            frames += [self.maker.mutated()]
        for _ in range(random.choice((1, 1, 1, 2))):
            frames += self.authentication()
        if random.random() < 0.3:
            at = random.randrange(len(frames))
            frames[at] = with_size(self.maker.damaged(frames[at][4:]))
        sent, rest = self.maker.client()
        return frames + sent, rest

    def authentication(self) -> list[bytes]:
        random = self.random
        version = random.choice((0, 1, 1, 1))
        handshake = load_request_schema(ApiKey.SASL_HANDSHAKE, version)(mechanism=random.choice(MECHANISMS))
        frames = [self.maker.request(ApiKey.SASL_HANDSHAKE, version, handshake)]
        for _ in range(random.choice((0, 1, 1, 1, 2, 3))):
            token = TOKENS[0] if random.random() < 0.4 else random.choice(TOKENS)
            if random.random() < 0.2:
                token = self.maker.damaged(token)
            if version == 0:
                frames.append(with_size(token))
                continue
            version_of_token = random.randrange(3)
            entity = load_request_schema(ApiKey.SASL_AUTHENTICATE, version_of_token)(auth_bytes=token)
            frames.append(self.maker.request(ApiKey.SASL_AUTHENTICATE, version_of_token, entity))
        return frames

    def tls_noise(self) -> bytes:
        """What is no handshake, or the beginning of one."""
        random = self.random
        match random.randrange(6):
            case 0:
                return self.maker.damaged(self.hello)
            case 1:
                return self.hello + random.randbytes(random.randrange(200))
            case 2:
                return self.hello[: random.randrange(len(self.hello))]
            case 3:
                size = random.choice((0, 1, 100, 16_384, 65_535))
                kind = random.choice((20, 21, 22, 23, 24, 255))
                return (
                    bytes((kind, 3, random.randrange(5))) + size.to_bytes(2, "big") + random.randbytes(min(size, 300))
                )
            case 4:
                return b"".join(self.maker.client()[0])
            case _:
                return random.choice((b"GET / HTTP/1.1\r\n\r\n", random.randbytes(random.randrange(400))))


def client_hello() -> bytes:
    """The first flight of a TLS client."""
    outgoing = ssl.MemoryBIO()
    client = client_context().wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname="localhost")
    with suppress(ssl.SSLWantReadError):
        client.do_handshake()
    return outgoing.read()


def client_context() -> ssl.SSLContext:
    """Of a client that believes everybody."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def hold(endpoint: Endpoint, call: Call, context: ssl.SSLContext) -> None:
    """Makes the call, and reads until the broker has handled it and hangs up."""
    plain = socket.create_connection((endpoint.host, endpoint.port), timeout=PATIENCE_S)
    with plain, suppress(ConnectionError, ssl.SSLError):
        if not call.tls:
            plain.sendall(call.data)
            read_to_the_end(plain)
            return
        with context.wrap_socket(plain) as secure:
            secure.sendall(call.data)
            if call.noise:
                os.write(secure.fileno(), call.noise)
            read_to_the_end(secure)


def read_to_the_end(client: socket.socket) -> None:
    with suppress(OSError):  # the broker has hung up already
        socket.socket.shutdown(client, socket.SHUT_WR)
    while client.recv(1 << 20):
        pass
