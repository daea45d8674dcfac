"""The transition table is the one in the module's docstring, and the machine refuses anything else."""

from __future__ import annotations

import re

import pytest

from broker.groups import state
from broker.groups.group import Group
from broker.groups.state import TRANSITIONS, GroupState


def documented_edges() -> set[tuple[str, str]]:
    rows = re.findall(r"^\| (\w+) +\|.*\| (\w+) +\|$", state.__doc__ or "", flags=re.MULTILINE)
    return {(source, target) for source, target in rows if source != "from"}


def test_transition_table_equals_the_documented_one() -> None:
    """The docstring's table is read, so it cannot rot."""
    assert documented_edges() == {(a.value, b.value) for a, targets in TRANSITIONS.items() for b in targets}


def test_group_refuses_an_edge_outside_the_table() -> None:
    """An empty group cannot become stable without a join phase."""
    group = Group(group_id="g", state_since_ms=0)
    with pytest.raises(AssertionError, match="Empty -> Stable"):
        group.enter(GroupState.STABLE, 1)
