"""How long threads of a worker wait for each other."""

from __future__ import annotations

import sys

import pytest

from streams.runtime.turns import TURN_S, short_turns


def test_turns_are_short_while_a_worker_serves_queries_and_as_before_afterwards() -> None:
    before = sys.getswitchinterval()
    with short_turns():
        assert sys.getswitchinterval() == pytest.approx(TURN_S)
    assert sys.getswitchinterval() == before


def test_turns_that_are_shorter_already_stay() -> None:
    before = sys.getswitchinterval()
    sys.setswitchinterval(TURN_S / 10)
    try:
        with short_turns():
            assert sys.getswitchinterval() < TURN_S / 5
    finally:
        sys.setswitchinterval(before)
