"""OAUTHBEARER: the client shows a bearer token.

    client: n,,\\x01auth=Bearer TOKEN\\x01\\x01
    server: (nothing), or {"status":"invalid_token"}, which the client answers with \\x01 and is refused then

Source: RFC 7628, KIP-255, `OAuthBearerSaslServer` of Apache Kafka. Extensions (KIP-342) are read and count for nothing.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable

from broker.security.json_web_token import Bearer, TokenRefusedError
from broker.security.mechanism import Accepted, Challenge, RejectedError

NAME = "OAUTHBEARER"
LOG = logging.getLogger("broker.security")
PAIRS = r"(?:[A-Za-z]+=[^\x01]*\x01)*?"
MESSAGE = re.compile(
    r"n,(?:a=(?P<authorization>[^,\x01]*))?,\x01"
    + PAIRS
    + r"auth=(?P<scheme>[A-Za-z]+) +(?P<token>[-_.A-Za-z0-9~+/=]+)\x01"
    + PAIRS
    + r"\x01"
)
INVALID_TOKEN = '{"status":"invalid_token"}'


class OAuthBearerConversation:
    """`validate` raises TokenRefusedError."""

    def __init__(self, validate: Callable[[str], Bearer]) -> None:
        self.validate = validate
        self.refused = False

    def step(self, token: bytes) -> Challenge | Accepted:
        if self.refused:
            raise RejectedError(INVALID_TOKEN)
        found = MESSAGE.fullmatch(token.decode("latin-1"))
        if found is None or found["scheme"].lower() != "bearer":
            raise RejectedError("Authentication failed: malformed OAUTHBEARER message")
        try:
            bearer = self.validate(found["token"])
        except TokenRefusedError as error:
            LOG.info("a bearer token was refused: %s", error)
            self.refused = True
            return Challenge(INVALID_TOKEN.encode())
        if found["authorization"] not in (None, "", bearer.user):
            raise RejectedError(
                "Authentication failed: Client requested an authorization id that is different from the token's user"
            )
        return Accepted(bearer.user, expires_ms=bearer.expires_ms)
