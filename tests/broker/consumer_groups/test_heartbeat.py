"""Joining, staying, changing and leaving a consumer group, one rule at a time."""

from __future__ import annotations

import pytest
from kio.schema.errors import ErrorCode

from broker.consumer_groups.member import JOINING, MemberState
from broker.consumer_groups.partitions import NONE
from broker.consumer_groups.settings import ConsumerGroupSettings
from tests.broker.consumer_groups.machine import REBALANCE_MS, ConsumerGroupMachine

OK = ErrorCode.none


def two_members() -> ConsumerGroupMachine:
    """`a` and `b` own two partitions each, in a stable group."""
    machine = ConsumerGroupMachine(t=4)
    assert machine.join("a") is OK
    assert machine.join("b") is OK
    machine.settle()
    assert machine.state == "Stable"
    return machine


# -- joining -----------------------------------------------------------------------------------------------------------
def test_first_member_owns_everything_at_once() -> None:
    machine = ConsumerGroupMachine(t=4)
    assert machine.join("a") is OK
    assert machine.owned("a") == ["t-0", "t-1", "t-2", "t-3"]
    assert (machine.group.epoch, machine.clients["a"].epoch, machine.state) == (2, 2, "Stable")


def test_second_member_waits_until_the_first_has_given_up() -> None:
    machine = ConsumerGroupMachine(t=4)
    machine.join("a")
    machine.join("b")
    assert (machine.clients["b"].epoch, machine.owned("b"), machine.state) == (3, [], "Reconciling")
    assert machine.group.members["b"].progress.state is MemberState.UNRELEASED
    machine.beat("a", hold=True)
    assert (machine.clients["a"].epoch, machine.told("a")) == (2, ["t-0", "t-1"])
    assert len(machine.owned("a")) == 4
    machine.beat("b")
    assert machine.owned("b") == []
    machine.clients["a"].owned = machine.clients["a"].told
    machine.beat("a")
    assert machine.clients["a"].epoch == 3
    machine.beat("b")
    assert machine.owned("b") == ["t-2", "t-3"]
    assert machine.state == "Stable"


def test_member_that_says_nothing_has_given_up_nothing() -> None:
    """A heartbeat that only says that the member is there is no proof that it revoked."""
    machine = ConsumerGroupMachine(t=4)
    machine.join("a")
    machine.join("b")
    machine.beat("a")
    machine.beat("a", quiet=True)
    machine.beat("b")
    assert machine.owned("b") == []
    machine.beat("a")
    machine.beat("b")
    assert machine.owned("b") == ["t-2", "t-3"]


def test_member_with_a_stale_report_still_owns() -> None:
    machine = ConsumerGroupMachine(t=4)
    machine.join("a")
    machine.join("b")
    machine.beat("a", hold=True)
    machine.beat("a", hold=True)
    machine.beat("b")
    assert machine.owned("b") == []


def test_member_without_topics_is_a_member_and_owns_nothing() -> None:
    machine = ConsumerGroupMachine(t=1)
    assert machine.join("a", "") is OK
    assert (machine.clients["a"].epoch, machine.owned("a"), machine.state) == (2, [], "Stable")


def test_joining_again_after_being_fenced_keeps_the_place() -> None:
    """The client owns nothing now; it is told all of its target at once."""
    machine = two_members()
    epoch = machine.group.epoch
    client = machine.clients["a"]
    client.epoch, client.owned, client.news = 0, NONE, True
    assert machine.beat("a") is OK
    assert machine.owned("a") == ["t-0", "t-1"]
    assert (machine.group.epoch, client.epoch) == (epoch, epoch)


def test_joining_again_with_another_subscription_raises_the_epoch() -> None:
    machine = two_members()
    machine.topics.make("u", 2)
    client = machine.clients["a"]
    client.epoch, client.owned, client.news, client.topics = 0, NONE, True, frozenset({"u"})
    machine.settle()
    assert (machine.owned("a"), machine.owned("b")) == (["u-0", "u-1"], ["t-0", "t-1", "t-2", "t-3"])


def test_full_group_refuses_newcomers_only() -> None:
    machine = ConsumerGroupMachine(ConsumerGroupSettings(max_size=1), t=1)
    machine.join("a", instance="i")
    assert machine.join("b") is ErrorCode.group_max_size_reached
    machine.clients["a"].epoch = 0
    assert machine.beat("a") is OK
    machine.leave("a", away=True)
    assert machine.join("a2", instance="i") is OK


# -- staying -----------------------------------------------------------------------------------------------------------
def test_heartbeat_of_a_stranger_is_unknown() -> None:
    machine = two_members()
    assert machine.request(member_id="x", member_epoch=2) is ErrorCode.unknown_member_id


def test_heartbeat_with_a_later_epoch_is_fenced() -> None:
    machine = two_members()
    assert machine.request(member_id="a", member_epoch=99) is ErrorCode.fenced_member_epoch


def test_heartbeat_with_the_previous_epoch_passes_if_the_answer_was_lost() -> None:
    """It owns no more than it has now, so nothing it does not own is touched."""
    machine = two_members()
    machine.leave("b")
    assert machine.beat("a", lose=True) is OK
    epoch = machine.group.members["a"].progress.epoch
    assert epoch > machine.clients["a"].epoch
    assert machine.beat("a") is OK
    assert (machine.clients["a"].epoch, len(machine.owned("a"))) == (epoch, 4)


def test_heartbeat_with_the_previous_epoch_and_foreign_partitions_is_fenced() -> None:
    machine = two_members()
    machine.join("c")
    machine.settle()
    (member,) = [m for m in machine.group.members.values() if len(m.progress.assigned) == 2]
    foreign = machine.group.members["c"].progress.assigned
    previous = member.progress.previous_epoch
    code = machine.request(member_id=member.member_id, member_epoch=previous, owned=foreign)
    assert code is ErrorCode.fenced_member_epoch


def test_heartbeat_with_the_previous_epoch_and_no_report_is_fenced() -> None:
    machine = two_members()
    previous = machine.group.members["b"].progress.epoch - 1
    assert machine.request(member_id="b", member_epoch=previous) is ErrorCode.fenced_member_epoch


def test_full_heartbeat_is_told_its_assignment_although_nothing_changed() -> None:
    from broker.consumer_groups.heartbeat import heartbeat
    from broker.consumer_groups.requests import HeartbeatRequest

    machine = two_members()
    client = machine.clients["a"]

    def told(**fields: object) -> bool:
        request = HeartbeatRequest(
            version=1,
            group_id="g",
            member_id="a",
            new_member_id="",
            member_epoch=client.epoch,
            client_id="client",
            client_host="/127.0.0.1",
            owned=client.owned,
            **fields,  # pyright: ignore[reportArgumentType]
        )
        return heartbeat(machine.group, machine.settings, request, machine.topics, machine.now_ms)[1]

    assert not told()
    assert told(rebalance_timeout_ms=REBALANCE_MS, topics=frozenset({"t"}))
    assert told(rebalance_timeout_ms=REBALANCE_MS, regex="")


def test_settled_group_writes_nothing() -> None:
    machine = two_members()
    written = len(machine.log)
    machine.settle(3)
    assert len(machine.log) == written


# -- changing ----------------------------------------------------------------------------------------------------------
def test_subscription_that_changes_moves_partitions() -> None:
    machine = two_members()
    machine.topics.make("u", 2)
    epoch = machine.group.epoch
    assert machine.subscribe("b", "u") is OK
    assert machine.group.epoch == epoch + 1
    machine.settle()
    assert (machine.owned("a"), machine.owned("b")) == (["t-0", "t-1", "t-2", "t-3"], ["u-0", "u-1"])


def test_assignor_alone_does_not_raise_the_epoch() -> None:
    """As in Apache Kafka: it counts when the target is made anew."""
    machine = two_members()
    epoch = machine.group.epoch
    machine.clients["a"].assignor = machine.clients["b"].assignor = "range"
    machine.settle()
    assert (machine.group.epoch, machine.group.assignor()) == (epoch, "range")


@pytest.mark.parametrize(("asked", "used"), [((None, None), "uniform"), (("range", None), "range")])
def test_assignor_that_most_ask_for_is_used(asked: tuple[str | None, str | None], used: str) -> None:
    machine = ConsumerGroupMachine(t=2)
    for name, assignor in zip("ab", asked, strict=True):
        machine.join(name, assignor=assignor)
    assert machine.group.assignor() == used


def test_topic_that_grows_is_noticed_at_the_next_heartbeat() -> None:
    machine = two_members()
    epoch = machine.group.epoch
    machine.topics.grow("t", 6)
    machine.settle()
    assert (machine.group.epoch, len(machine.owned("a")), len(machine.owned("b"))) == (epoch + 1, 3, 3)


def test_topic_that_is_deleted_is_given_up() -> None:
    machine = two_members()
    machine.topics.delete("t")
    machine.settle()
    assert machine.owned("a") == machine.owned("b") == []
    assert machine.state == "Stable"


def test_topic_made_again_is_another_one() -> None:
    machine = two_members()
    old = machine.clients["a"].owned
    machine.topics.delete("t")
    machine.topics.make("t", 4)
    machine.settle()
    assert len(machine.owned("a")) == len(machine.owned("b")) == 2
    assert machine.clients["a"].owned.isdisjoint(old)


def test_topic_that_is_made_after_the_join_is_found() -> None:
    machine = ConsumerGroupMachine()
    machine.join("a", "t")
    assert machine.owned("a") == []
    machine.topics.make("t", 2)
    machine.beat("a")
    assert machine.owned("a") == ["t-0", "t-1"]


def test_other_topics_do_not_raise_the_epoch() -> None:
    machine = two_members()
    epoch = machine.group.epoch
    machine.topics.make("other", 3)
    machine.settle()
    assert machine.group.epoch == epoch


def test_regex_follows_the_topics() -> None:
    machine = ConsumerGroupMachine(**{"in-1": 1, "in-2": 1, "out": 1})
    machine.join("a", None, regex="in-.*")
    assert machine.owned("a") == ["in-1-0", "in-2-0"]
    machine.topics.make("in-3", 1)
    machine.topics.make("not-in-4", 1)
    machine.beat("a")
    assert machine.owned("a") == ["in-1-0", "in-2-0", "in-3-0"]


def test_regex_and_names_add_up() -> None:
    machine = ConsumerGroupMachine(**{"in-1": 1, "out": 1})
    machine.join("a", "out", regex="in-.*")
    assert machine.owned("a") == ["in-1-0", "out-0"]


# -- giving up ---------------------------------------------------------------------------------------------------------
def test_member_that_does_not_give_up_goes_after_its_rebalance_timeout() -> None:
    machine = ConsumerGroupMachine(t=4)
    machine.join("a")
    machine.join("b")
    machine.beat("a", hold=True)
    for _ in range(REBALANCE_MS // 1_000):
        assert machine.beat("a", hold=True) is OK
        machine.beat("b")
        machine.advance(1_000)
    assert machine.beat("a", hold=True) is ErrorCode.unknown_member_id
    machine.beat("b")
    assert len(machine.owned("b")) == 4


def test_member_that_gave_up_is_not_sent_away() -> None:
    machine = two_members()
    for _ in range(2 * REBALANCE_MS // 10_000):
        machine.settle(1)
        machine.advance(10_000)
    assert list(machine.group.members) == ["a", "b"]


def test_target_that_changes_while_a_member_gives_up_is_come_to_by_steps() -> None:
    machine = ConsumerGroupMachine(t=4)
    machine.join("a")
    machine.join("b")
    machine.beat("a", hold=True)
    machine.join("c")
    machine.beat("a", hold=True)
    assert machine.clients["a"].epoch == 2
    machine.settle()
    assert sorted(len(machine.owned(name)) for name in "abc") == [1, 1, 2]
    assert machine.state == "Stable"


# -- leaving -----------------------------------------------------------------------------------------------------------
def test_leaving_frees_at_once_and_the_target_follows() -> None:
    machine = two_members()
    epoch = machine.group.epoch
    assert machine.leave("b") is OK
    assert (machine.group.epoch, machine.state) == (epoch + 1, "Assigning")
    machine.beat("a")
    assert (len(machine.owned("a")), machine.state) == (4, "Stable")


def test_leaving_of_a_stranger_is_unknown() -> None:
    machine = two_members()
    assert machine.request(member_id="x", member_epoch=-1) is ErrorCode.unknown_member_id


def test_last_member_leaves_an_empty_group_that_keeps_its_epoch() -> None:
    machine = two_members()
    machine.leave("a")
    machine.leave("b")
    epoch = machine.group.epoch
    assert (machine.state, machine.group.owners, machine.timers.next_ms()) == ("Empty", {}, None)
    machine.join("c")
    assert machine.group.epoch == epoch + 1


def test_leaving_does_not_count_as_a_change_of_topics() -> None:
    """The next heartbeat finds other topics subscribed, but none that changed: one epoch more, not two."""
    machine = ConsumerGroupMachine(t=1, u=1)
    machine.join("a", "t")
    machine.join("b", "u")
    machine.settle()
    epoch = machine.group.epoch
    machine.leave("b")
    machine.topics.make("other", 1)
    machine.settle()
    assert machine.group.epoch == epoch + 1


def test_silent_member_goes_after_its_session() -> None:
    machine = two_members()
    machine.advance(40_000)
    machine.beat("a")
    machine.advance(10_000)
    assert list(machine.group.members) == ["a"]
    machine.beat("a")
    assert len(machine.owned("a")) == 4


def test_session_timeout_that_is_lowered_counts_from_the_next_heartbeat() -> None:
    machine = two_members()
    machine.settings = ConsumerGroupSettings(session_timeout_ms=2_000)
    machine.beat("a")
    machine.advance(2_000)
    assert list(machine.group.members) == ["b"]


# -- static members ----------------------------------------------------------------------------------------------------
def test_static_member_that_is_away_keeps_its_partitions() -> None:
    machine = ConsumerGroupMachine(t=4)
    machine.join("a", instance="i")
    machine.join("b")
    machine.settle()
    epoch, mine = machine.group.epoch, machine.owned("a")
    assert machine.leave("a", away=True) is OK
    machine.settle(3)
    assert len(machine.owned("b")) == 2
    assert machine.join("a2", instance="i") is OK
    assert (machine.owned("a2"), machine.group.epoch, list(machine.group.members)) == (mine, epoch, ["b", "a2"])
    assert machine.state == "Stable"


def test_static_member_that_comes_back_with_its_id_is_the_same() -> None:
    machine = ConsumerGroupMachine(t=2)
    machine.join("a", instance="i")
    machine.leave("a", away=True)
    assert machine.join("a", instance="i") is OK
    assert (machine.owned("a"), machine.group.epoch) == (["t-0", "t-1"], 2)


def test_static_member_that_stays_away_goes_after_its_session() -> None:
    machine = ConsumerGroupMachine(t=4)
    machine.join("a", instance="i")
    machine.leave("a", away=True)
    machine.advance(44_999)
    assert list(machine.group.members) == ["a"]
    machine.advance(1)
    assert (machine.group.members, machine.group.static_ids) == ({}, {})


def test_static_member_that_is_there_is_not_replaced() -> None:
    machine = ConsumerGroupMachine(t=2)
    machine.join("a", instance="i")
    assert machine.join("b", instance="i") is ErrorCode.unreleased_instance_id
    assert machine.beat("a") is OK


def test_static_member_that_was_replaced_is_fenced() -> None:
    machine = ConsumerGroupMachine(t=2)
    machine.join("a", instance="i")
    old = machine.clients["a"]
    machine.leave("a", away=True)
    machine.join("b", instance="i")
    assert machine.beat(old) is ErrorCode.fenced_instance_id
    leaving = {"member_id": "a", "member_epoch": -1, "instance_id": "i"}
    assert machine.request(**leaving) is ErrorCode.fenced_instance_id


def test_static_member_of_an_unknown_instance_is_unknown() -> None:
    machine = two_members()
    code = machine.request(member_id="a", member_epoch=2, instance_id="never")
    assert code is ErrorCode.unknown_member_id


def test_static_member_that_is_away_is_fenced_if_it_beats_on() -> None:
    machine = ConsumerGroupMachine(t=2)
    machine.join("a", instance="i")
    epoch = machine.clients["a"].epoch
    machine.leave("a", away=True)
    code = machine.request(member_id="a", member_epoch=epoch, instance_id="i", owned=NONE)
    assert code is ErrorCode.fenced_member_epoch


def test_static_member_leaves_for_good_with_minus_one() -> None:
    machine = ConsumerGroupMachine(t=2)
    machine.join("a", instance="i")
    machine.leave("a")
    assert machine.group.static_ids == {}
    assert machine.join("b", instance="i") is OK


def test_static_member_comes_back_to_a_new_target() -> None:
    """While it was away the other one's part grew, and nobody took what it kept."""
    machine = ConsumerGroupMachine(t=4)
    machine.join("a", instance="i")
    machine.join("b")
    machine.settle()
    machine.leave("a", away=True)
    machine.join("c")
    machine.settle(3)
    machine.join("a2", instance="i")
    machine.settle()
    assert sorted(len(machine.owned(name)) for name in ("a2", "b", "c")) == [1, 1, 2]


# -- what is refused whatever the group is -----------------------------------------------------------------------------
JOIN = {"member_id": "a", "member_epoch": JOINING, "rebalance_timeout_ms": 1, "topics": frozenset({"t"}), "owned": NONE}


@pytest.mark.parametrize(
    "change",
    [
        {"group_id": ""},
        {"member_id": ""},
        {"instance_id": ""},
        {"rack_id": ""},
        {"group_id": " "},
        {"member_id": " "},
        {"instance_id": " "},
        {"rack_id": " "},
        {"rebalance_timeout_ms": -1},
        {"owned": None},
        {"owned": frozenset({(None, 0)})},
        {"topics": None},
        {"member_epoch": -3},
        {"member_epoch": -2},
        {"member_epoch": -1, "member_id": ""},
        {"member_epoch": 5, "member_id": "", "version": 0},
    ],
)
def test_malformed_heartbeat_is_an_invalid_request(change: dict[str, object]) -> None:
    machine = ConsumerGroupMachine(t=1)
    assert machine.request(**{**JOIN, **change}) is ErrorCode.invalid_request
    assert machine.group.members == {}


def test_member_without_an_id_is_given_one_in_version_0() -> None:
    machine = ConsumerGroupMachine(t=1)
    assert machine.request(**{**JOIN, "member_id": "", "version": 0}) is OK
    assert list(machine.group.members) == ["made-up"]


def test_unknown_assignor_is_refused() -> None:
    machine = ConsumerGroupMachine(t=1)
    assert machine.request(**{**JOIN, "assignor": "sticky"}) is ErrorCode.unsupported_assignor


def test_invalid_regex_is_refused() -> None:
    machine = ConsumerGroupMachine(t=1)
    assert machine.request(**{**JOIN, "regex": "(a"}) is ErrorCode.invalid_regular_expression
