"""SCRAM: client and server prove to each other that they know the password, or what was made of it.

    client: n,,n=user,r=NONCE
    server: r=NONCE+ITS,s=SALT,i=ITERATIONS
    client: c=biws,r=NONCE+ITS,p=PROOF
    server: v=SIGNATURE

An unknown user is asked for a proof like any other, with a salt that is always the same for that name: who tries names
learns nothing. Source: RFC 5802 and 7677, KIP-84; without channel binding and delegation tokens.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Callable

from broker.security.mechanism import Accepted, Challenge, RejectedError, invalid_credentials
from broker.security.scram_credential import DIGESTS, MIN_ITERATIONS, SALT_SIZE, ScramCredential

NONCE = r"r=(?P<nonce>[!-+\--~]+)"
EXTENSIONS = r"(?P<extensions>(?:,[A-Za-z]+=[^,]*)*?)"
BASE64 = r"[A-Za-z0-9+/=]+"
CLIENT_FIRST = re.compile(
    rf"(?P<head>[ny],(?:a=(?P<authorization>[^,]*))?,)(?P<bare>n=(?P<user>[^,]+),{NONCE}{EXTENSIONS})"
)
CLIENT_FINAL = re.compile(rf"(?P<unproven>c=(?P<binding>{BASE64}),{NONCE}{EXTENSIONS}),p=(?P<proof>{BASE64})")
BAD_NAME = re.compile(r"=(?!2C|3D)")


class ScramConversation:
    """`credential_of` gives a user's credential or None; `nonce` is printable text nobody can guess; `pepper` is a
    secret of this process, for the salts of unknown users."""

    def __init__(
        self,
        mechanism: str,
        credential_of: Callable[[str], ScramCredential | None],
        *,
        nonce: str,
        pepper: bytes,
    ) -> None:
        self.mechanism = mechanism
        self.digest = DIGESTS[mechanism]
        self.credential_of = credential_of
        self.own_nonce = nonce
        self.pepper = pepper
        self.user = ""
        self.credential: ScramCredential | None = None
        self.binding = b""
        """What the client has to repeat in base64."""
        self.nonce = ""
        self.said = ""
        """The messages so far, which both ends sign; empty before the first."""

    def step(self, token: bytes) -> Challenge | Accepted:
        try:
            message = token.decode()
        except UnicodeDecodeError as error:
            raise self.malformed() from error
        return self.prove(message) if self.said else self.greet(message)

    def greet(self, message: str) -> Challenge:
        found = CLIENT_FIRST.fullmatch(message)
        if found is None or BAD_NAME.search(found["user"]):
            raise self.malformed()
        self.user = found["user"].replace("=2C", ",").replace("=3D", "=")
        if found["authorization"] not in (None, "", found["user"]):
            raise RejectedError(
                "Authentication failed: Client requested an authorization id that is different from username"
            )
        if "tokenauth=true" in found["extensions"].split(","):
            raise RejectedError("Authentication failed: delegation tokens are not served by this broker")
        self.binding = found["head"].encode()
        self.nonce = found["nonce"] + self.own_nonce
        self.credential = self.credential_of(self.user)
        if self.credential is None:
            salt = hmac.digest(self.pepper, found["user"].encode(), "sha256")[:SALT_SIZE]
            iterations = MIN_ITERATIONS
        else:
            salt, iterations = self.credential.salt, self.credential.iterations
        answer = f"r={self.nonce},s={base64.b64encode(salt).decode()},i={iterations}"
        self.said = f"{found['bare']},{answer}"
        return Challenge(answer.encode())

    def prove(self, message: str) -> Accepted:
        found = CLIENT_FINAL.fullmatch(message)
        if found is None:
            raise self.malformed()
        try:
            binding = base64.b64decode(found["binding"], validate=True)
            proof = base64.b64decode(found["proof"], validate=True)
        except binascii.Error as error:
            raise self.malformed() from error
        if found["nonce"] != self.nonce or binding != self.binding:
            raise self.malformed()
        credential = self.credential
        if credential is None:
            raise invalid_credentials(self.mechanism)
        signed = f"{self.said},{found['unproven']}".encode()
        signature = hmac.digest(credential.stored_key, signed, self.digest)
        client_key = bytes(a ^ b for a, b in zip(proof, signature))
        stored_key = hashlib.new(self.digest, client_key).digest()
        if len(proof) != len(signature) or not hmac.compare_digest(stored_key, credential.stored_key):
            raise invalid_credentials(self.mechanism)
        verifier = hmac.digest(credential.server_key, signed, self.digest)
        return Accepted(self.user, f"v={base64.b64encode(verifier).decode()}".encode())

    def malformed(self) -> RejectedError:
        return RejectedError(f"Authentication failed: malformed {self.mechanism} message")
