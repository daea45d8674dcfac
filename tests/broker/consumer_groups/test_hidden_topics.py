"""What a member's expression matches of the topics that it may not know of: nothing, from whenever that is so."""

from __future__ import annotations

from kio.schema.errors import ErrorCode

from tests.broker.consumer_groups.machine import ConsumerGroupMachine

ALICE, BOB = "User:alice", "User:bob"


def two_members() -> ConsumerGroupMachine:
    """alice and bob with one expression, in a stable group; alice must not know of in-2."""
    machine = ConsumerGroupMachine(**{"in-1": 2, "in-2": 2})
    machine.topics.hide(ALICE, "in-2")
    assert machine.join("a", None, regex="in-.*", principal=ALICE) is ErrorCode.none
    assert machine.join("b", None, regex="in-.*", principal=BOB) is ErrorCode.none
    machine.settle()
    return machine


def test_hidden_topic_is_given_to_those_who_may_know_of_it() -> None:
    machine = two_members()
    assert all(name.startswith("in-1") for name in machine.owned("a"))
    assert {"in-2-0", "in-2-1"} <= set(machine.owned("b"))
    assert sorted(machine.owned("a") + machine.owned("b")) == ["in-1-0", "in-1-1", "in-2-0", "in-2-1"]


def test_hidden_topic_that_a_member_names_is_its_own_affair() -> None:
    """Whether it may is asked before its heartbeat comes here."""
    machine = ConsumerGroupMachine(**{"in-1": 1})
    machine.topics.hide(ALICE, "in-1")
    machine.join("a", "in-1", regex="out", principal=ALICE)
    assert machine.owned("a") == ["in-1-0"]


def test_topic_hidden_from_one_member_goes_to_the_other() -> None:
    """Others still read it, so the topics of the group are what they were; its epoch rises all the same."""
    machine = two_members()
    epoch = machine.group.epoch
    machine.topics.hide(ALICE, "in-1")
    machine.beat("b")
    machine.settle()
    assert machine.group.epoch == epoch + 1
    assert (machine.owned("a"), len(machine.owned("b"))) == ([], 4)


def test_topic_shown_again_is_shared_again() -> None:
    machine = two_members()
    machine.topics.show(ALICE, "in-2")
    machine.beat("b")
    machine.settle()
    assert (len(machine.owned("a")), len(machine.owned("b"))) == (2, 2)


def test_topic_hidden_from_all_leaves_the_epoch_as_it_is() -> None:
    """Nobody learns that it was made."""
    machine = two_members()
    epoch = machine.group.epoch
    for principal in (ALICE, BOB):
        machine.topics.hide(principal, "in-secret")
    machine.topics.make("in-secret", 3)
    machine.settle()
    assert machine.group.epoch == epoch


def test_other_principal_of_a_member_sees_what_that_one_may() -> None:
    machine = two_members()
    machine.topics.hide("User:carol", "in-1")
    machine.topics.hide("User:carol", "in-2")
    machine.settle()  # nobody looks at the topics again for their own sake
    machine.clients["a"].principal = "User:carol"
    machine.beat("a")
    machine.settle()
    assert machine.owned("a") == []


def test_restart_forgets_nothing_of_who_sees_what() -> None:
    """The group is settled before any member has been heard."""
    machine = two_members()
    epoch, owned = machine.group.epoch, machine.owned("a")
    machine.restart()
    machine.beat("b", quiet=True)
    machine.settle()
    assert (machine.group.epoch, machine.owned("a")) == (epoch, owned)
