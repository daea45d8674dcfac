"""A consumer group to and from its records in `__consumer_offsets`."""

from __future__ import annotations

from dataclasses import dataclass, field

from broker.consumer_groups import record_value
from broker.consumer_groups.group import ConsumerGroup
from broker.consumer_groups.member import ConsumerMember, MemberState, Profile, Progress
from broker.consumer_groups.partitions import NONE, Partitions
from broker.consumer_groups.record_key import EPOCH, PROFILE, PROGRESS, TARGET, TARGET_EPOCH, ConsumerGroupKey
from broker.groups.effects import Schedule, TimerEffect
from broker.groups.timer import Timer, TimerKind
from broker.journal.entry import KeyValue


def take_records(group: ConsumerGroup) -> list[KeyValue]:
    """What has to be written for the log to say what the group is now; counts as written from here on."""
    records = [(key.encode(), value_of(group, key)) for key in group.unsaved]
    group.unsaved.clear()
    return records


def tombstones(group: ConsumerGroup) -> list[KeyValue]:
    """What makes the log forget the group, with members that are gone but whose end is not written yet."""
    group.mark_all()
    records: list[KeyValue] = [(key.encode(), None) for key in group.unsaved]
    group.unsaved.clear()
    return records


def value_of(group: ConsumerGroup, key: ConsumerGroupKey) -> bytes | None:
    """None: what the key names is gone."""
    if key.kind == EPOCH:
        return record_value.encode_epoch(group.epoch, group.metadata_hash)
    if key.kind == TARGET_EPOCH:
        return record_value.encode_target_epoch(group.target_epoch)
    member = group.members.get(key.member_id)
    if member is None:
        return None
    if key.kind == PROFILE:
        return record_value.encode_profile(member.profile)
    if key.kind == TARGET:
        return record_value.encode_target(member.target)
    return record_value.encode_progress(member.progress)


@dataclass(slots=True)
class GroupImage:
    """What the log says of a group so far, in whatever order compaction has left it."""

    epoch: int | None = None
    """None: there is no group of this kind."""
    metadata_hash: int = 0
    target_epoch: int = 0
    profiles: dict[str, Profile] = field(default_factory=dict[str, Profile])
    targets: dict[str, Partitions] = field(default_factory=dict[str, Partitions])
    progress: dict[str, Progress] = field(default_factory=dict[str, Progress])

    def apply(self, key: ConsumerGroupKey, value: bytes | None) -> None:
        """Raises JournalRecordError if the value is damaged."""
        if value is not None:
            self.put(key.kind, key.member_id, value)
        elif key.kind == EPOCH:
            self.epoch = None
        elif key.kind == TARGET_EPOCH:
            self.target_epoch = 0
        elif key.kind == PROFILE:
            self.profiles.pop(key.member_id, None)
        elif key.kind == TARGET:
            self.targets.pop(key.member_id, None)
        else:
            self.progress.pop(key.member_id, None)

    def put(self, kind: int, member_id: str, value: bytes) -> None:
        if kind == EPOCH:
            self.epoch, self.metadata_hash = record_value.decode_epoch(value)
        elif kind == TARGET_EPOCH:
            self.target_epoch = record_value.decode_target_epoch(value)
        elif kind == PROFILE:
            self.profiles[member_id] = record_value.decode_profile(value)
        elif kind == TARGET:
            self.targets[member_id] = record_value.decode_target(value)
        elif kind == PROGRESS:
            self.progress[member_id] = record_value.decode_progress(value)


def from_image(
    group_id: str, image: GroupImage, now_ms: int, session_timeout_ms: int
) -> tuple[ConsumerGroup, list[TimerEffect]]:
    """The group as its records say. The members' sessions, and the time to give partitions up, start anew."""
    group = ConsumerGroup(
        group_id=group_id,
        epoch=image.epoch or 0,
        metadata_hash=image.metadata_hash,
        target_epoch=image.target_epoch,
    )
    effects: list[TimerEffect] = []
    for member_id, profile in image.profiles.items():
        timeout_ms = session_timeout_ms if profile.classic is None else profile.classic.session_timeout_ms
        member = ConsumerMember(
            member_id=member_id,
            profile=profile,
            progress=image.progress.get(member_id, Progress()),
            target=image.targets.get(member_id, NONE),
            session_timeout_ms=timeout_ms,
            session_deadline_ms=now_ms + timeout_ms,
        )
        group.add(member)
        effects.append(Schedule(Timer(TimerKind.SESSION, member_id), member.session_deadline_ms))
        if member.progress.state is MemberState.UNREVOKED:
            kind = TimerKind.REVOKE if profile.classic is None else TimerKind.JOIN_PHASE
            effects.append(Schedule(Timer(kind, member_id), now_ms + profile.rebalance_timeout_ms))
    group.unsaved.clear()
    return group, effects
