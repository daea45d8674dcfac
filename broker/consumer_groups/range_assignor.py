"""The `range` assignor: of every topic a member gets a range of partitions next to each other.

Members that read topics with the same number of partitions get the same numbers of each, so that topics which are
partitioned alike are read alike. Not sticky: the ranges follow from the members' order alone, static ones (by instance
id) before others (by member id).

Source: `RangeAssignor` of Apache Kafka's group coordinator.
"""

from __future__ import annotations

from broker.consumer_groups.assignor import AssignmentTask, MemberToAssign
from broker.consumer_groups.partitions import Partitions, TopicIdPartition


def assign_ranges(task: AssignmentTask) -> dict[str, Partitions]:
    """The first members get one partition more where the number does not come out even."""
    order = sorted(task.members, key=rank)
    lines: dict[str, set[TopicIdPartition]] = {member.member_id: set() for member in order}
    for topic_id, count in task.partitions.items():
        readers = [member for member in order if topic_id in member.topics]
        start = 0
        for place, member in enumerate(readers):
            size = count // len(readers) + (place < count % len(readers))
            lines[member.member_id].update((topic_id, index) for index in range(start, start + size))
            start += size
    return {member_id: frozenset(line) for member_id, line in lines.items()}


def rank(member: MemberToAssign) -> tuple[bool, str]:
    return member.instance_id is None, member.instance_id or member.member_id
