"""The client's side of SASL as a sans-I/O conversation: bytes to send out of it, the server's bytes into it.

PLAIN shows the password once. SCRAM proves that both ends know it without showing it, in two round trips:

    client: n,,n=user,r=NONCE
    server: r=NONCE+ITS,s=SALT,i=ITERATIONS
    client: c=biws,r=NONCE+ITS,p=PROOF
    server: v=SIGNATURE                     (proves that the server knows it too)

Source: RFC 4616 (PLAIN), RFC 5802 and 7677 (SCRAM), KIP-84.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable, Generator

from streams.wire.errors import AuthenticationError
from streams.wire.security import Sasl

Conversation = Generator[bytes, bytes, None]
"""Yields what to send and is sent what came back; it ends when the server is believed."""


def converse(sasl: Sasl, *, nonce: Callable[[], str]) -> Conversation:
    """The conversation of the mechanism. `nonce` gives printable text nobody can guess; SCRAM calls it once.

    Raises:
        AuthenticationError: (out of `send`) the server's words are malformed, or it does not know the password.
    """
    if sasl.mechanism == "PLAIN":
        return plain(sasl)
    return scram(sasl, "sha256" if sasl.mechanism == "SCRAM-SHA-256" else "sha512", nonce())


def plain(sasl: Sasl) -> Conversation:
    yield f"\0{sasl.username}\0{sasl.password}".encode()


def scram(sasl: Sasl, algorithm: str, nonce: str) -> Conversation:
    user = sasl.username.replace("=", "=3D").replace(",", "=2C")
    client_first = f"n={user},r={nonce}"
    server_first = (yield f"n,,{client_first}".encode()).decode()
    said = attributes(server_first)
    if not said.get("r", "").startswith(nonce) or "s" not in said or not said.get("i", "").isdigit():
        raise AuthenticationError(f"SCRAM: the server's first message is malformed: {server_first!r}")

    def sign(key: bytes, message: str | bytes) -> bytes:
        return hmac.digest(key, message.encode() if isinstance(message, str) else message, algorithm)

    salted = hashlib.pbkdf2_hmac(algorithm, sasl.password.encode(), base64.b64decode(said["s"]), int(said["i"]))
    client_key = sign(salted, "Client Key")
    without_proof = f"c=biws,r={said['r']}"
    conversation = f"{client_first},{server_first},{without_proof}"
    signature = sign(hashlib.new(algorithm, client_key).digest(), conversation)
    proof = bytes(a ^ b for a, b in zip(client_key, signature))
    server_final = (yield f"{without_proof},p={base64.b64encode(proof).decode()}".encode()).decode()
    expected = base64.b64encode(sign(sign(salted, "Server Key"), conversation)).decode()
    if not hmac.compare_digest(attributes(server_final).get("v", ""), expected):
        raise AuthenticationError(f"SCRAM: the server does not know the password of {sasl.username!r}")


def attributes(message: str) -> dict[str, str]:
    return {name: value for name, _, value in (part.partition("=") for part in message.split(","))}
