"""How one connection authenticates: the order of handshake and tokens, and how long it counts.

    HANDSHAKE  a mechanism has to be agreed on
    TOKENS     its conversation goes on
    DONE       the principal is known; a new handshake begins a re-authentication (KIP-368)
    FAILED     the connection is to be closed

Sans I/O; times are handed in. Source: `SaslServerAuthenticator` of Apache Kafka.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, auto
from typing import NamedTuple

from kio.schema.errors import ErrorCode

from broker.security.mechanism import Accepted, Conversation, Mechanism, RejectedError
from broker.security.principal import ANONYMOUS, Principal

MIN_REAUTH_INTERVAL_MS = 1_000
"""Who authenticates again sooner is refused."""


class Phase(Enum):
    HANDSHAKE = auto()
    TOKENS = auto()
    DONE = auto()
    FAILED = auto()


class Step(NamedTuple):
    """The answer to a token."""

    error: ErrorCode
    message: str | None
    token: bytes


class Authentication:
    """Of one connection. `mechanisms` are those of its listener in the order clients are told."""

    def __init__(self, mechanisms: Mapping[str, Mechanism], max_reauth_ms: int) -> None:
        self.mechanisms = mechanisms
        self.max_reauth_ms = max_reauth_ms
        self.phase = Phase.HANDSHAKE
        self.principal: Principal = ANONYMOUS
        """Known once the phase is DONE, and stays during a re-authentication."""
        self.mechanism = ""
        self.bare_tokens = False
        """After a handshake of version 0 tokens come without request headers until the conversation is over."""
        self.session_lifetime_ms = 0
        """Of the last authentication: after that time the client must have authenticated again; 0: never."""
        self.failure = ""
        """Why the phase is FAILED, for the log."""
        self._conversation: Conversation | None = None
        self._authenticated_at: int | None = None

    def handshake(self, mechanism: str, version: int, now_ms: int) -> ErrorCode:
        """A SaslHandshake request."""
        again = self.phase is Phase.DONE
        if again and self._authenticated_at is not None and now_ms - self._authenticated_at < MIN_REAUTH_INTERVAL_MS:
            return ErrorCode.illegal_sasl_state  # the connection goes on as it is
        if self.phase not in (Phase.HANDSHAKE, Phase.DONE):
            return self._fail(ErrorCode.illegal_sasl_state, "began a second SASL handshake before the first was over")
        begin = self.mechanisms.get(mechanism)
        if begin is None:
            return self._fail(
                ErrorCode.unsupported_sasl_mechanism,
                f"asked for SASL mechanism {mechanism[:32]!r}, which this listener does not have "
                f"({', '.join(self.mechanisms)})",
            )
        if again and mechanism != self.mechanism:
            return self._fail(ErrorCode.illegal_sasl_state, "changed the SASL mechanism in a re-authentication")
        self.mechanism = mechanism
        self.bare_tokens = version == 0
        self._conversation = begin()
        self.phase = Phase.TOKENS
        return ErrorCode.none

    def token(self, token: bytes, now_ms: int) -> Step:
        """What the client says within the conversation."""
        if self._conversation is None:
            self._fail(ErrorCode.illegal_sasl_state, "sent a SASL token without a handshake")
            return Step(ErrorCode.illegal_sasl_state, "SaslAuthenticate request without a SaslHandshake before it", b"")
        try:
            outcome = self._conversation.step(token)
            if not isinstance(outcome, Accepted):
                return Step(ErrorCode.none, None, outcome.token)
            principal = Principal("User", outcome.user)
            if self.principal not in (ANONYMOUS, principal):
                raise RejectedError(
                    f"Cannot change principals during re-authentication from {self.principal} to {principal}"
                )
        except RejectedError as rejection:
            self._fail(ErrorCode.sasl_authentication_failed, f"failed to authenticate by {self.mechanism}: {rejection}")
            return Step(ErrorCode.sasl_authentication_failed, str(rejection), b"")
        self.phase, self.principal, self.bare_tokens = Phase.DONE, principal, False
        self._conversation, self._authenticated_at = None, now_ms
        self.session_lifetime_ms = self._lifetime(outcome, now_ms)
        return Step(ErrorCode.none, None, outcome.token)

    def _lifetime(self, accepted: Accepted, now_ms: int) -> int:
        """0 unless re-authentication is asked for; else at least 1 ms."""
        if not self.max_reauth_ms or accepted.expires_ms is None:
            return self.max_reauth_ms
        return max(1, min(self.max_reauth_ms, accepted.expires_ms - now_ms))

    def _fail(self, code: ErrorCode, failure: str) -> ErrorCode:
        self.phase, self.failure, self._conversation = Phase.FAILED, failure, None
        return code
