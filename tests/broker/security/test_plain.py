"""PLAIN."""

from __future__ import annotations

import pytest

from broker.security.mechanism import Accepted, RejectedError
from broker.security.plain import PlainConversation

USERS = {"alice": "wonder", "zoë": "pässword"}


@pytest.mark.parametrize(
    ("message", "user"),
    [("\0alice\0wonder", "alice"), ("alice\0alice\0wonder", "alice"), ("\0zoë\0pässword", "zoë")],
)
def test_plain_right_password_is_accepted(message: str, user: str) -> None:
    assert PlainConversation(USERS).step(message.encode()) == Accepted(user)


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (b"\0alice\0guess", "Invalid username or password"),
        (b"\0bob\0wonder", "Invalid username or password"),
        (b"\0alice\0", "password not specified"),
        (b"\0\0wonder", "username not specified"),
        (b"bob\0alice\0wonder", "authorization id that is different"),
        (b"alice\0wonder", "expected 3 tokens, got 2"),
        (b"\0alice\0won\0der", "expected 3 tokens, got 4"),
        (b"", "expected 3 tokens"),
        (b"\0alice\0\xff", "expected 3 tokens"),
    ],
)
def test_plain_what_does_not_fit_is_refused(message: bytes, reason: str) -> None:
    with pytest.raises(RejectedError, match=reason):
        PlainConversation(USERS).step(message)
