"""PLAIN: the client tells its name and password. Only for listeners with TLS, or where nobody listens in.

Source: RFC 4616, `PlainSaslServer` of Apache Kafka.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping

from broker.security.mechanism import Accepted, RejectedError

NAME = "PLAIN"


class PlainConversation:
    """One message: authorization id, user name and password with NUL between them."""

    def __init__(self, users: Mapping[str, str]) -> None:
        self.users = users

    def step(self, token: bytes) -> Accepted:
        try:
            parts = token.decode().split("\0")
        except UnicodeDecodeError:
            parts = []
        if len(parts) != 3:
            raise RejectedError(f"Invalid SASL/PLAIN response: expected 3 tokens, got {len(parts)}")
        authorization_id, user, password = parts
        if not user:
            raise RejectedError("Authentication failed: username not specified")
        if not password:
            raise RejectedError("Authentication failed: password not specified")
        if authorization_id not in ("", user):
            raise RejectedError(
                "Authentication failed: Client requested an authorization id that is different from username"
            )
        expected = self.users.get(user)
        # An unknown user takes as long as a wrong password.
        same = hmac.compare_digest((password if expected is None else expected).encode(), password.encode())
        if expected is None or not same:
            raise RejectedError("Authentication failed: Invalid username or password")
        return Accepted(user)
