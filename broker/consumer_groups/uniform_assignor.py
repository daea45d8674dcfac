"""The `uniform` assignor: every member gets as many partitions as any other, and keeps what it had as far as it can.

Where all read the same topics, the numbers differ by one at most, and no more partitions move than that takes. Where
they do not, no partition could be given to another reader of its topic who has at least two fewer.

Source: `UniformAssignor` of Apache Kafka's group coordinator, for what it promises.
"""

from __future__ import annotations

from heapq import heapify, heapreplace
from uuid import UUID

from broker.consumer_groups.assignor import AssignmentTask
from broker.consumer_groups.partitions import Partitions, TopicIdPartition


def assign_uniformly(task: AssignmentTask) -> dict[str, Partitions]:
    lines, unassigned = keep(task)
    if task.homogeneous:
        unassigned += trim(lines, sum(task.partitions.values()))
        hand_out(task, lines, unassigned)
    else:
        hand_out(task, lines, unassigned)
        balance(task, lines)
    return {member_id: frozenset(line) for member_id, line in lines.items()}


def keep(task: AssignmentTask) -> tuple[dict[str, list[TopicIdPartition]], list[TopicIdPartition]]:
    """What members had and still can have, and what is left."""
    taken: set[TopicIdPartition] = set()
    lines: dict[str, list[TopicIdPartition]] = {}
    for member in sorted(task.members, key=lambda each: each.member_id):
        kept = [
            (topic_id, index)
            for topic_id, index in sorted(member.target)
            if topic_id in member.topics and index < task.partitions.get(topic_id, 0)
        ]
        lines[member.member_id] = kept = [partition for partition in kept if partition not in taken]
        taken.update(kept)
    rest = [
        (topic_id, index)
        for topic_id, count in task.partitions.items()
        for index in range(count)
        if (topic_id, index) not in taken
    ]
    return lines, rest


def trim(lines: dict[str, list[TopicIdPartition]], total: int) -> list[TopicIdPartition]:
    """Takes from members what is above their share; who has most may have the one that a share is larger by."""
    share, larger = divmod(total, len(lines))
    freed: list[TopicIdPartition] = []
    for place, member_id in enumerate(sorted(lines, key=lambda each: (-len(lines[each]), each))):
        line = lines[member_id]
        allowed = share + (place < larger)
        freed += line[allowed:]
        del line[allowed:]
    return freed


def hand_out(
    task: AssignmentTask, lines: dict[str, list[TopicIdPartition]], unassigned: list[TopicIdPartition]
) -> None:
    """Each partition to the reader of its topic that has least."""
    if task.homogeneous:
        heap = [(len(line), member_id) for member_id, line in lines.items()]
        heapify(heap)
        for partition in unassigned:
            size, member_id = heap[0]
            lines[member_id].append(partition)
            heapreplace(heap, (size + 1, member_id))
        return
    readers = readers_of(task)
    # Topics with few readers first: they have the least choice.
    for partition in sorted(unassigned, key=lambda each: len(readers[each[0]])):
        least = min(readers[partition[0]], key=lambda each: (len(lines[each]), each))
        lines[least].append(partition)


def balance(task: AssignmentTask, lines: dict[str, list[TopicIdPartition]]) -> None:
    """Moves single partitions as long as that brings two members closer together; each move lessens the sum of the
    squares of what members have, so it comes to an end."""
    readers = readers_of(task)
    moved = True
    while moved:
        moved = False
        for topic_id in task.partitions:
            moved |= balance_topic(topic_id, readers[topic_id], lines)


def balance_topic(topic_id: UUID, readers: list[str], lines: dict[str, list[TopicIdPartition]]) -> bool:
    """Moves partitions of one topic; whether any was moved."""
    moved = False
    while True:
        owners = [member_id for member_id in readers if any(each[0] == topic_id for each in lines[member_id])]
        most = max(owners, key=lambda each: len(lines[each]))
        least = min(readers, key=lambda each: len(lines[each]))
        if len(lines[most]) - len(lines[least]) < 2:
            return moved
        place = max(place for place, each in enumerate(lines[most]) if each[0] == topic_id)
        lines[least].append(lines[most].pop(place))
        moved = True


def readers_of(task: AssignmentTask) -> dict[UUID, list[str]]:
    """Topic id → ids of its readers in order."""
    members = sorted(task.members, key=lambda each: each.member_id)
    return {
        topic_id: [member.member_id for member in members if topic_id in member.topics] for topic_id in task.partitions
    }
