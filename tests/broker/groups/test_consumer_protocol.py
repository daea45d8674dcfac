"""What members of classic groups write into their metadata, as far as a broker reads it."""

from __future__ import annotations

import pytest

from broker.groups.consumer_protocol import Subscription, encode_assignment, parse_assignment, parse_subscription

TOPICS = b"\x00\x00\x00\x01" + b"\x00\x01t"
NO_USER_DATA = b"\xff\xff\xff\xff"
OWNED = b"\x00\x00\x00\x01" + b"\x00\x01t" + b"\x00\x00\x00\x02" + b"\x00\x00\x00\x00" + b"\x00\x00\x00\x03"


@pytest.mark.parametrize(
    ("metadata", "owned", "rack"),
    [
        (b"\x00\x00" + TOPICS + NO_USER_DATA, (), None),
        (b"\x00\x00" + TOPICS + b"\x00\x00\x00\x02xy", (), None),
        (b"\x00\x01" + TOPICS + NO_USER_DATA + OWNED, (0, 3), None),
        (b"\x00\x02" + TOPICS + NO_USER_DATA + OWNED + b"\x00\x00\x00\x05", (0, 3), None),
        (b"\x00\x03" + TOPICS + NO_USER_DATA + OWNED + b"\x00\x00\x00\x05" + b"\x00\x01r", (0, 3), "r"),
        (b"\x00\x03" + TOPICS + NO_USER_DATA + OWNED + b"\x00\x00\x00\x05" + b"\xff\xff", (0, 3), None),
        (b"\x00\x03" + TOPICS, (), None),
        (b"\x00\x01" + TOPICS + b"\x00", (), None),
    ],
)
def test_subscription_of_every_version(metadata: bytes, owned: tuple[int, ...], rack: str | None) -> None:
    expected = frozenset(("t", index) for index in owned)
    assert parse_subscription(metadata) == Subscription(metadata[1], frozenset({"t"}), expected, rack)


@pytest.mark.parametrize(
    "metadata", [b"", b"\x00", b"\x00\x01\x00\x00\x00\x01\x00\x05t", b"\x00\x01\x00\x00\x00\x01\x00\x01\xff"]
)
def test_other_bytes_are_no_subscription(metadata: bytes) -> None:
    assert parse_subscription(metadata) is None


def test_assignment_comes_back() -> None:
    assigned = {"t": [0, 2], "u": [1]}
    assert parse_assignment(encode_assignment(1, assigned)) == {("t", 0), ("t", 2), ("u", 1)}
    assert parse_assignment(b"") == frozenset()
    assert parse_assignment(b"\x00\x01\x00\x00") is None
