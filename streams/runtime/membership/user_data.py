"""What members of a group tell each other: our own bytes inside Kafka's consumer protocol.

    Subscription   version │ MessagePack [process, host, state directory, endpoint, generation, held, leaving, lags,
                             shutdown, standbys, tags]
    Assignment     version │ deflated MessagePack [generation, tasks, withdrawn, members, moving, shutdown, standbys,
                             warming]

The version is a MessagePack integer of its own in front, so it can be read before anything else is understood. Tasks
are `{sub-topology: [partitions]}`, lags `{sub-topology: {partition: records}}`. A field may be added at the end of a
version; anything else needs a new one. An assignment is deflated because each one describes the whole group and all of
them go into one record of the coordinator's log.

Outside, both are ConsumerProtocolSubscription and ConsumerProtocolAssignment v0 (topics and partitions, then user data)
so that Kafka's tools show who reads what. The topics matter to the coordinator too: it never expires the offsets of a
topic that a live group subscribes to.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import msgspec
from kio.schema.consumer_protocol_assignment.v0.data import ConsumerProtocolAssignment
from kio.schema.consumer_protocol_subscription.v0.data import ConsumerProtocolSubscription
from msgspec import Struct, field

from streams.errors import ApplicationShutdownError
from streams.plan.task_id import TaskId
from streams.runtime.membership.errors import UserDataError
from streams.runtime.membership.member_view import MemberView
from streams.wire import schema

VERSION = 1
ENVELOPE_VERSION = struct.pack(">h", 0)
"""Kafka's consumer protocol messages begin with their version."""

PackedTasks = dict[int, list[int]]
StructT = TypeVar("StructT")


class Subscription(Struct, frozen=True, kw_only=True):
    """What a member says of itself when it joins.

    `held` runs here and `leaving` was revoked but is not closed yet: both are claimed, nobody else may start them.
    `generation` is the last one it belonged to (-1: none). `lags`: see `Membership.report`. Processes with the same
    `host` and `state_dir` can open each other's local state. Of `standbys` it keeps the state up to date. `tags`
    say where it runs (KIP-708).
    """

    process_id: str
    host: str = ""
    state_dir: str = ""
    endpoint: str | None = None
    generation: int = -1
    held: frozenset[TaskId] = frozenset()
    leaving: frozenset[TaskId] = frozenset()
    lags: Mapping[TaskId, int]
    shutdown: str | None = None
    """Why all members are to end."""
    standbys: frozenset[TaskId] = frozenset()
    tags: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def claimed(self) -> frozenset[TaskId]:
        return self.held | self.leaving


class Assignment(Struct, frozen=True, kw_only=True):
    """What the leader tells a member: the tasks to own; the ones it claims that are another's from now on; what
    everybody has; whether any task is `moving`, so that another round will follow soon; the `standbys` whose state it
    is to keep up to date, and those of them that are `warming` up to move there."""

    generation: int
    tasks: frozenset[TaskId]
    withdrawn: frozenset[TaskId]
    members: tuple[MemberView, ...]
    moving: bool = False
    shutdown: str | None = None
    standbys: frozenset[TaskId] = frozenset()
    warming: frozenset[TaskId] = frozenset()

    def check(self) -> None:
        """Raises ApplicationShutdownError: the member is to end, as all others."""
        if self.shutdown is not None:
            raise ApplicationShutdownError(self.shutdown)


class PackedSubscription(msgspec.Struct, array_like=True):
    process_id: str
    host: str
    state_dir: str
    endpoint: str | None
    generation: int
    held: PackedTasks
    leaving: PackedTasks
    lags: dict[int, dict[int, int]]
    shutdown: str | None = None
    standbys: PackedTasks = {}
    tags: dict[str, str] = {}


class PackedMember(msgspec.Struct, array_like=True):
    member_id: str
    instance_id: str | None
    host: str
    endpoint: str | None
    tasks: PackedTasks
    standbys: PackedTasks = {}


class PackedAssignment(msgspec.Struct, array_like=True):
    generation: int
    tasks: PackedTasks
    withdrawn: PackedTasks
    members: msgspec.Raw
    """A list of `PackedMember`."""
    moving: bool
    shutdown: str | None = None
    standbys: PackedTasks = {}
    warming: PackedTasks = {}


def encode_subscription(subscription: Subscription, topics: Sequence[str]) -> bytes:
    """`topics` are all that the application reads, repartition topics included."""
    lags: dict[int, dict[int, int]] = {}
    for task, lag in sorted(subscription.lags.items()):
        lags.setdefault(task.subtopology, {})[task.partition] = lag
    packed = PackedSubscription(
        process_id=subscription.process_id,
        host=subscription.host,
        state_dir=subscription.state_dir,
        endpoint=subscription.endpoint,
        generation=subscription.generation,
        held=pack(subscription.held),
        leaving=pack(subscription.leaving),
        lags=lags,
        shutdown=subscription.shutdown,
        standbys=pack(subscription.standbys),
        tags=dict(subscription.tags),
    )
    user_data = version_bytes() + msgspec.msgpack.encode(packed)
    return ENVELOPE_VERSION + schema.encode(
        ConsumerProtocolSubscription(topics=tuple(sorted(topics)), user_data=user_data)
    )


def decode_subscription(data: bytes, *, sender: str) -> Subscription:
    """`sender` is named in errors.

    Raises:
        UserDataError: not ours, damaged, or of a newer version.
    """
    packed = parse(user_data_of(data, ConsumerProtocolSubscription, sender), PackedSubscription, sender, deflated=False)
    return Subscription(
        process_id=packed.process_id,
        host=packed.host,
        state_dir=packed.state_dir,
        endpoint=packed.endpoint,
        generation=packed.generation,
        held=unpack(packed.held),
        leaving=unpack(packed.leaving),
        lags={TaskId(sub, partition): lag for sub, lags in packed.lags.items() for partition, lag in lags.items()},
        shutdown=packed.shutdown,
        standbys=unpack(packed.standbys),
        tags=packed.tags,
    )


def pack_members(members: Iterable[MemberView]) -> msgspec.Raw:
    """What all assignments of a generation have in common, made once."""
    packed = [
        PackedMember(
            member_id=member.member_id,
            instance_id=member.instance_id,
            host=member.host,
            endpoint=member.endpoint,
            tasks=pack(member.tasks),
            standbys=pack(member.standbys),
        )
        for member in members
    ]
    return msgspec.Raw(msgspec.msgpack.encode(packed))


def encode_assignment(
    assignment: Assignment, inputs: Collection[tuple[str, int]], members: msgspec.Raw | None = None
) -> bytes:
    """`inputs` are the (topic, partition) pairs the assigned tasks read; `members` those of the assignment, where they
    have been packed already."""
    packed = PackedAssignment(
        generation=assignment.generation,
        tasks=pack(assignment.tasks),
        withdrawn=pack(assignment.withdrawn),
        members=pack_members(assignment.members) if members is None else members,
        moving=assignment.moving,
        shutdown=assignment.shutdown,
        standbys=pack(assignment.standbys),
        warming=pack(assignment.warming),
    )
    partitions: dict[str, list[int]] = {}
    for topic, partition in sorted(inputs):
        partitions.setdefault(topic, []).append(partition)
    envelope = schema.fill(
        ConsumerProtocolAssignment,
        {
            "assigned_partitions": tuple(
                {"topic": topic, "partitions": tuple(numbers)} for topic, numbers in partitions.items()
            ),
            "user_data": version_bytes() + zlib.compress(msgspec.msgpack.encode(packed)),
        },
    )
    return ENVELOPE_VERSION + schema.encode(envelope)


def decode_assignment(data: bytes) -> Assignment:
    """Raises UserDataError: not ours, damaged, or of a newer version."""
    sender = "the group's leader"
    packed = parse(user_data_of(data, ConsumerProtocolAssignment, sender), PackedAssignment, sender, deflated=True)
    try:
        members = msgspec.msgpack.decode(packed.members, type=list[PackedMember])
    except msgspec.DecodeError as error:
        raise UserDataError(f"{sender} sent damaged user data ({error})") from error
    return Assignment(
        generation=packed.generation,
        tasks=unpack(packed.tasks),
        withdrawn=unpack(packed.withdrawn),
        members=tuple(
            MemberView(
                member_id=member.member_id,
                instance_id=member.instance_id,
                host=member.host,
                endpoint=member.endpoint,
                tasks=unpack(member.tasks),
                standbys=unpack(member.standbys),
            )
            for member in members
        ),
        moving=packed.moving,
        shutdown=packed.shutdown,
        standbys=unpack(packed.standbys),
        warming=unpack(packed.warming),
    )


def user_data_of(data: bytes, envelope: Any, sender: str) -> bytes:
    """The bytes of ours within Kafka's message; later versions of the envelope only add at its end."""
    try:
        entity, _ = schema.decode(envelope, data, len(ENVELOPE_VERSION))
    except schema.MalformedError as error:
        raise UserDataError(f"{sender} sent something that is not Kafka's consumer protocol") from error
    if not entity.user_data:
        raise UserDataError(
            f"{sender} is no headrace worker: another kind of consumer uses this application's id as its group id; "
            "choose a different one for either"
        )
    return entity.user_data


def parse(data: bytes, packed: type[StructT], sender: str, *, deflated: bool) -> StructT:
    version, length = leading_integer(data)
    if version is None or version < 1:
        raise UserDataError(f"{sender} sent user data that is not headrace's; is it another kind of consumer?")
    if version > VERSION:
        raise UserDataError(
            f"{sender} speaks version {version} of headrace's group protocol and this worker only version {VERSION}: "
            "upgrade this worker"
        )
    body = data[length:]
    try:
        return msgspec.msgpack.decode(zlib.decompress(body) if deflated else body, type=packed)
    except (msgspec.DecodeError, UnicodeDecodeError, zlib.error) as error:
        raise UserDataError(f"{sender} sent damaged user data ({error})") from error


def version_bytes() -> bytes:
    return msgspec.msgpack.encode(VERSION)


def leading_integer(data: bytes) -> tuple[int | None, int]:
    """The MessagePack integer `data` begins with, and how many bytes it takes."""
    for length in (1, 2, 3, 5, 9):
        try:
            return msgspec.msgpack.decode(data[:length], type=int), length
        except msgspec.DecodeError:
            continue
    return None, 0


def pack(tasks: Iterable[TaskId]) -> PackedTasks:
    packed: PackedTasks = {}
    for task in sorted(tasks):
        packed.setdefault(task.subtopology, []).append(task.partition)
    return packed


def unpack(packed: PackedTasks) -> frozenset[TaskId]:
    return frozenset(TaskId(sub, partition) for sub, partitions in packed.items() for partition in partitions)
