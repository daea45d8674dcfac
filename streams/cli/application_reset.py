"""What a reset of an application takes: worked out first, as something to show, and carried out after.

Source: Kafka's `StreamsResetter`, which knows internal topics by their prefix and suffix. Here the topology says which
they are, so that an application whose name begins with this one's keeps its own.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from streams.cli.clients import wire_client
from streams.cli.failures import CommandFailed, UsageFailed
from streams.cli.group_offsets import Place, beginnings, commit_offsets
from streams.cluster.admin import Admin, MemberOfGroup
from streams.cluster.clients import REQUEST_TIMEOUT_S
from streams.discovery import BrokerLocation

if TYPE_CHECKING:
    from streams.cluster.beginning import Beginning
    from streams.plan.plan import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Reset:
    """Everything a reset does. `offsets`: place -> offset committed now (None: none) and the one to begin from."""

    group: str
    offsets: Mapping[Place, tuple[int | None, int]]
    topics: tuple[str, ...]
    left_topics: tuple[str, ...]
    """Topics that look like the application's, but are not of this topology; they stay."""
    directory: Path | None
    """Of its state on this host; None if there is none."""
    ended: tuple[str, ...]
    """Static members that have ended and still have their place in the group."""


def plan_reset(
    location: BrokerLocation, admin: Admin, plan: Plan, state_dir: Path, start: Beginning, only: Collection[str]
) -> Reset:
    """Looks at group, topics and disk.

    Args:
        only: the input topics to begin anew; the others go on where they are. Empty: all.

    Raises:
        CommandFailed: workers of the application are running.
        UsageFailed: `only` names a topic that is no input.
    """
    directory = state_dir / plan.application_id
    inputs = _inputs(plan)
    strange = [topic for topic in only if topic not in inputs]
    if strange:
        raise UsageFailed(f"{strange[0]!r} is no input of {plan.application_id}; its inputs: {', '.join(inputs)}")
    members = admin.group(plan.application_id).members
    ended = _ended_members(members, directory)
    existing = admin.partition_counts()
    internal = [topic for topic in _internal_topics(plan) if topic in existing]
    committed = admin.committed(plan.application_id)
    places = [(topic, p) for topic in inputs if not only or topic in only for p in range(existing.get(topic, 0))]
    begin = beginnings(location, places, start)
    prefix, suffixes = f"{plan.application_id}-", ("-changelog", "-repartition")
    return Reset(
        group=plan.application_id,
        offsets={place: (committed.get(place), begin[place]) for place in places},
        topics=tuple(internal),
        left_topics=tuple(
            topic
            for topic in existing
            if topic.startswith(prefix) and topic.endswith(suffixes) and topic not in internal
        ),
        directory=directory if directory.is_dir() else None,
        ended=tuple(ended),
    )


def carry_out(location: BrokerLocation, admin: Admin, reset: Reset) -> None:
    """State first, offsets last: whoever is interrupted says the same again.

    Raises:
        CommandFailed: the broker refuses, or a worker has started meanwhile.
    """
    _remove_members(location, reset)
    if reset.directory is not None:
        shutil.rmtree(reset.directory)
    if reset.topics:
        admin.delete_topics(list(reset.topics))
        _wait_until_gone(admin, reset.topics)
    commit_offsets(location, reset.group, {place: offset for place, (_, offset) in reset.offsets.items()})


def _inputs(plan: Plan) -> list[str]:
    """The user's topics that the group has offsets of; global tables have none."""
    topics = [s.topic for sub in plan.subtopologies for s in sub.sources if s.role != "repartition"]
    return list(dict.fromkeys(topics))


def _internal_topics(plan: Plan) -> list[str]:
    from streams.runtime.task_metadata import metadata_topic_name

    repartition = [s.topic for sub in plan.subtopologies for s in sub.sources if s.role == "repartition"]
    changelogs = [store.changelog for _, store in plan.stores() if store.changelog is not None]
    return list(dict.fromkeys([*repartition, *changelogs, metadata_topic_name(plan.application_id)]))


def _ended_members(members: Collection[MemberOfGroup], directory: Path) -> list[str]:
    """The static members of this host that are no more. Raises CommandFailed if any member may be alive."""
    from streams.runtime.slot import Slot

    ended: list[str] = []
    alive: list[str] = []
    free = _free_slots(directory)
    names = {Slot.name(directory.name, directory, number) for number in free}
    for member in members:
        if member.instance is not None and member.instance in names:
            ended.append(member.instance)
        else:
            alive.append(f"{member.instance or member.member} on {member.host}")
    if alive:
        raise CommandFailed(
            f"workers of {directory.name} are in its group: {'; '.join(alive)}. Stop them; a worker of another host "
            "that has just ended is gone after its session timeout (45 s unless set)"
        )
    return ended


def _free_slots(directory: Path) -> list[int]:
    """The slots on this host that have been used and are not held. Raises CommandFailed if one is held."""
    free: list[int] = []
    for path in directory.glob("worker-*.lock"):
        number = int(path.stem.removeprefix("worker-"))
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CommandFailed(f"a worker is running on {directory} (slot {number}): stop it") from None
        finally:
            os.close(descriptor)
        free.append(number)
    return free


def _remove_members(location: BrokerLocation, reset: Reset) -> None:
    from streams.wire.requests.leave_group import LeaveGroup

    if not reset.ended:
        return
    connection = wire_client(location).connect_coordinator(reset.group)
    try:
        for instance in reset.ended:
            leave = LeaveGroup(group_id=reset.group, member_id="", instance_id=instance, reason="headrace reset")
            connection.call(leave, timeout_s=REQUEST_TIMEOUT_S)
    finally:
        connection.close()


def _wait_until_gone(admin: Admin, topics: Collection[str]) -> None:
    deadline = time.monotonic() + REQUEST_TIMEOUT_S
    while left := [topic for topic in topics if topic in admin.partition_counts()]:
        if time.monotonic() >= deadline:
            raise CommandFailed(f"{', '.join(left)} should be deleted, but is still there: say the same again")
        time.sleep(0.1)
