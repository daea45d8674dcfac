"""The server-side assignors: complete, balanced, sticky where they promise it."""

from __future__ import annotations

from itertools import product
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.consumer_groups.assignor import AssignmentTask, Assignor, MemberToAssign
from broker.consumer_groups.partitions import NONE, Partitions
from broker.consumer_groups.range_assignor import assign_ranges
from broker.consumer_groups.uniform_assignor import assign_uniformly

T, U, V, W = (UUID(int=number) for number in range(1, 5))


def task(topics: dict[UUID, int], **members: tuple[UUID, ...]) -> AssignmentTask:
    """Members by name, with the topics they read; nobody owns anything yet."""
    return AssignmentTask(
        members=tuple(
            MemberToAssign(member_id=name, instance_id=None, topics=frozenset(read), target=NONE)
            for name, read in members.items()
        ),
        partitions=topics,
    )


def again(before: AssignmentTask, targets: dict[str, Partitions], topics: dict[UUID, int]) -> AssignmentTask:
    """The same members with what they were given."""
    return AssignmentTask(
        members=tuple(
            MemberToAssign(
                member_id=m.member_id,
                instance_id=m.instance_id,
                topics=m.topics & frozenset(topics),
                target=targets[m.member_id],
            )
            for m in before.members
        ),
        partitions=topics,
    )


def numbers(targets: dict[str, Partitions], topic: UUID) -> dict[str, list[int]]:
    return {name: sorted(i for t, i in line if t == topic) for name, line in targets.items()}


# -- range -------------------------------------------------------------------------------------------------------------
def test_range_gives_neighbours_and_the_first_get_more() -> None:
    found = assign_ranges(task({T: 7}, a=(T,), b=(T,), c=(T,)))
    assert numbers(found, T) == {"a": [0, 1, 2], "b": [3, 4], "c": [5, 6]}


def test_range_gives_the_same_numbers_of_topics_partitioned_alike() -> None:
    found = assign_ranges(task({T: 4, U: 4}, a=(T, U), b=(T, U), c=(T, U)))
    assert numbers(found, T) == numbers(found, U)


def test_range_counts_only_those_who_read_the_topic() -> None:
    found = assign_ranges(task({T: 4, U: 2}, a=(T,), b=(T, U), c=(U,)))
    assert numbers(found, T) == {"a": [0, 1], "b": [2, 3], "c": []}
    assert numbers(found, U) == {"a": [], "b": [0], "c": [1]}


def test_range_puts_static_members_first_by_instance() -> None:
    members = (
        MemberToAssign(member_id="a", instance_id=None, topics=frozenset({T}), target=NONE),
        MemberToAssign(member_id="z", instance_id="i2", topics=frozenset({T}), target=NONE),
        MemberToAssign(member_id="y", instance_id="i1", topics=frozenset({T}), target=NONE),
    )
    found = assign_ranges(AssignmentTask(members=members, partitions={T: 3}))
    assert numbers(found, T) == {"y": [0], "z": [1], "a": [2]}


# -- uniform -----------------------------------------------------------------------------------------------------------
def test_uniform_moves_only_what_a_newcomer_is_due() -> None:
    alone = task({T: 6}, a=(T,), b=(T,))
    before = assign_uniformly(alone)
    with_c = AssignmentTask(
        members=(
            *again(alone, before, {T: 6}).members,
            MemberToAssign(member_id="c", instance_id=None, topics=frozenset({T}), target=NONE),
        ),
        partitions={T: 6},
    )
    after = assign_uniformly(with_c)
    assert {name: len(line) for name, line in after.items()} == {"a": 2, "b": 2, "c": 2}
    assert after["a"] < before["a"]
    assert after["b"] < before["b"]


def test_uniform_gives_a_member_that_reads_more_less_of_what_others_read() -> None:
    found = assign_uniformly(task({T: 2, U: 4}, a=(T, U), b=(T,)))
    assert {name: len(line) for name, line in found.items()} == {"a": 4, "b": 2}


def test_uniform_repairs_an_imbalance_that_it_is_handed() -> None:
    all_of_it = frozenset((T, index) for index in range(4))
    members = (
        MemberToAssign(member_id="a", instance_id=None, topics=frozenset({T, U}), target=all_of_it),
        MemberToAssign(member_id="b", instance_id=None, topics=frozenset({T}), target=NONE),
    )
    found = assign_uniformly(AssignmentTask(members=members, partitions={T: 4, U: 2}))
    assert {name: len(line) for name, line in found.items()} == {"a": 3, "b": 3}


@pytest.mark.parametrize("assign", [assign_uniformly, assign_ranges])
def test_assignor_with_more_members_than_partitions_leaves_some_without(assign: Assignor) -> None:
    found = assign(task({T: 1}, a=(T,), b=(T,)))
    assert sorted(map(len, found.values())) == [0, 1]


@pytest.mark.parametrize("assign", [assign_uniformly, assign_ranges])
def test_assignor_with_nothing_to_read_gives_nothing(assign: Assignor) -> None:
    assert assign(task({}, a=())) == {"a": NONE}


# -- properties --------------------------------------------------------------------------------------------------------
@st.composite
def tasks(draw: st.DrawFn) -> AssignmentTask:
    topics = draw(st.dictionaries(st.sampled_from([T, U, V, W]), st.integers(1, 7), max_size=4))
    reads = st.just(frozenset(topics)) if draw(st.booleans()) else st.frozensets(st.sampled_from([T, U, V, W]))
    members = [
        MemberToAssign(
            member_id=f"m{number}",
            instance_id=draw(st.sampled_from([None, f"i{number}"])),
            topics=draw(reads) & frozenset(topics),
            target=draw(st.frozensets(st.tuples(st.sampled_from([T, U, V, W]), st.integers(0, 8)), max_size=6)),
        )
        for number in range(draw(st.integers(1, 6)))
    ]
    read = frozenset[UUID]().union(*(member.topics for member in members))
    return AssignmentTask(members=tuple(members), partitions={t: n for t, n in topics.items() if t in read})


@pytest.mark.parametrize("assign", [assign_uniformly, assign_ranges])
@given(given_task=tasks())
def test_assignor_gives_every_partition_to_one_reader(assign: Assignor, given_task: AssignmentTask) -> None:
    found = assign(given_task)
    everything = sorted((t, i) for t, count in given_task.partitions.items() for i in range(count))
    assert sorted(partition for line in found.values() for partition in line) == everything
    for member in given_task.members:
        assert {t for t, _ in found[member.member_id]} <= member.topics


@given(tasks())
def test_uniform_is_balanced(given_task: AssignmentTask) -> None:
    """Nobody could be given a partition by someone who has two more; the same for all where all read the same."""
    found = assign_uniformly(given_task)
    read = {member.member_id: member.topics for member in given_task.members}
    for giver, taker in product(found, found):
        if any(topic in read[taker] for topic, _ in found[giver]):
            assert len(found[giver]) - len(found[taker]) <= 1
    if given_task.homogeneous:
        sizes = [len(line) for line in found.values()]
        assert max(sizes) - min(sizes) <= 1


@given(tasks())
def test_uniform_leaves_alone_what_is_balanced(given_task: AssignmentTask) -> None:
    topics = dict(given_task.partitions)
    first = assign_uniformly(given_task)
    assert assign_uniformly(again(given_task, first, topics)) == first


@given(tasks(), st.data())
def test_uniform_moves_no_more_than_a_change_of_members_takes(given_task: AssignmentTask, data: st.DataObject) -> None:
    """Where all read the same and one goes, those who stay lose nothing."""
    if not given_task.homogeneous or len(given_task.members) < 2:
        return
    first = assign_uniformly(given_task)
    gone = data.draw(st.sampled_from([member.member_id for member in given_task.members]))
    rest = [m for m in again(given_task, first, dict(given_task.partitions)).members if m.member_id != gone]
    then = assign_uniformly(AssignmentTask(members=tuple(rest), partitions=given_task.partitions))
    assert all(first[name] <= line for name, line in then.items())
