"""Where a group's records go."""

from __future__ import annotations

import pytest

from broker.journal.topic_log import java_hash


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", 0),
        ("hello", 99_162_322),
        ("Aa", 2_112),
        ("BB", 2_112),
        ("zzzzzz", 685_785_664),
        ("polygenelubricants", 0),
    ],
)
def test_java_hash_is_kafkas(text: str, expected: int) -> None:
    """`Utils.abs(String.hashCode())`: the smallest int, which has no absolute value, becomes 0."""
    assert java_hash(text) == expected
