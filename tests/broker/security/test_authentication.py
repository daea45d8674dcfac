"""The order of handshake and tokens on one connection."""

from __future__ import annotations

import pytest
from kio.schema.errors import ErrorCode

from broker.security.authentication import Authentication, Phase, Step
from broker.security.mechanism import Accepted, Challenge, Mechanism, RejectedError
from broker.security.principal import ANONYMOUS, Principal


class Scripted:
    """Accepts "user NAME [EXPIRES]", asks again for "more", refuses anything else."""

    def step(self, token: bytes) -> Challenge | Accepted:
        words = token.decode().split()
        if words[:1] == ["user"]:
            return Accepted(words[1], b"welcome", int(words[2]) if len(words) > 2 else None)
        if words == ["more"]:
            return Challenge(b"and?")
        raise RejectedError("no")


MECHANISMS: dict[str, Mechanism] = {"ONE": Scripted, "TWO": Scripted}


def authenticated(max_reauth_ms: int = 0, token: bytes = b"user alice", now: int = 0) -> Authentication:
    authentication = Authentication(MECHANISMS, max_reauth_ms)
    assert authentication.handshake("ONE", 1, now) is ErrorCode.none
    assert authentication.token(token, now).error is ErrorCode.none
    return authentication


def test_handshake_then_tokens_make_a_principal() -> None:
    authentication = Authentication(MECHANISMS, 0)
    assert authentication.principal is ANONYMOUS
    assert authentication.handshake("ONE", 1, 0) is ErrorCode.none
    assert authentication.token(b"more", 0) == Step(ErrorCode.none, None, b"and?")
    assert authentication.phase is Phase.TOKENS
    assert authentication.token(b"user alice", 0) == Step(ErrorCode.none, None, b"welcome")
    assert authentication.phase is Phase.DONE
    assert authentication.principal == Principal("User", "alice")
    assert authentication.session_lifetime_ms == 0


def test_refused_token_fails_the_connection() -> None:
    authentication = Authentication(MECHANISMS, 0)
    authentication.handshake("ONE", 1, 0)
    assert authentication.token(b"x", 0) == Step(ErrorCode.sasl_authentication_failed, "no", b"")
    assert authentication.phase is Phase.FAILED
    assert authentication.principal is ANONYMOUS
    assert authentication.token(b"user alice", 0).error is ErrorCode.illegal_sasl_state
    assert authentication.handshake("ONE", 1, 0) is ErrorCode.illegal_sasl_state
    assert authentication.principal is ANONYMOUS


def test_unknown_mechanism_fails_the_connection() -> None:
    authentication = Authentication(MECHANISMS, 0)
    assert authentication.handshake("GSSAPI", 1, 0) is ErrorCode.unsupported_sasl_mechanism
    assert authentication.phase is Phase.FAILED
    assert "ONE, TWO" in authentication.failure


def test_token_before_the_handshake_fails_the_connection() -> None:
    authentication = Authentication(MECHANISMS, 0)
    assert authentication.token(b"user alice", 0).error is ErrorCode.illegal_sasl_state
    assert authentication.phase is Phase.FAILED


def test_second_handshake_within_the_conversation_fails_the_connection() -> None:
    authentication = Authentication(MECHANISMS, 0)
    authentication.handshake("ONE", 1, 0)
    assert authentication.handshake("ONE", 1, 0) is ErrorCode.illegal_sasl_state
    assert authentication.phase is Phase.FAILED


def test_handshake_0_asks_for_bare_tokens_until_it_is_over() -> None:
    authentication = Authentication(MECHANISMS, 0)
    authentication.handshake("ONE", 0, 0)
    assert authentication.bare_tokens
    authentication.token(b"more", 0)
    assert authentication.bare_tokens
    authentication.token(b"user alice", 0)
    assert not authentication.bare_tokens


# -- re-authentication -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("max_reauth_ms", "token", "lifetime"),
    [
        (0, b"user alice", 0),
        (0, b"user alice 1500", 0),
        (5_000, b"user alice", 5_000),
        (5_000, b"user alice 1500", 500),
        (5_000, b"user alice 9000", 5_000),
        (5_000, b"user alice 900", 1),
    ],
)
def test_session_lasts_as_long_as_settings_and_token_allow(max_reauth_ms: int, token: bytes, lifetime: int) -> None:
    """As in Kafka, a token's end counts only where re-authentication is asked for."""
    assert authenticated(max_reauth_ms, token, now=1_000).session_lifetime_ms == lifetime


def test_same_user_may_authenticate_again() -> None:
    authentication = authenticated(5_000)
    assert authentication.handshake("ONE", 1, 1_000) is ErrorCode.none
    assert authentication.phase is Phase.TOKENS
    assert authentication.principal == Principal("User", "alice")
    assert authentication.token(b"user alice", 1_000).error is ErrorCode.none
    assert authentication.phase is Phase.DONE


def test_other_user_may_not_take_over_the_connection() -> None:
    authentication = authenticated(5_000)
    authentication.handshake("ONE", 1, 1_000)
    step = authentication.token(b"user bob", 1_000)
    assert step.error is ErrorCode.sasl_authentication_failed
    assert step.message == "Cannot change principals during re-authentication from User:alice to User:bob"
    assert authentication.phase is Phase.FAILED


def test_mechanism_stays_the_same_in_a_re_authentication() -> None:
    authentication = authenticated(5_000)
    assert authentication.handshake("TWO", 1, 1_000) is ErrorCode.illegal_sasl_state
    assert authentication.phase is Phase.FAILED


def test_re_authentication_too_soon_is_refused_and_the_connection_goes_on() -> None:
    authentication = authenticated(5_000)
    assert authentication.handshake("ONE", 1, 999) is ErrorCode.illegal_sasl_state
    assert authentication.phase is Phase.DONE
