"""A consumer group whose members are on the wire while the broker is killed: what each was told, the group still knows.

Members beat, commit, come, go, and one is static and changes its incarnation. All are in one thread, so that between
two requests nothing of the group may change: not by a restart of the broker, either.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from kio.schema.errors import ErrorCode

from broker.protocol.api_keys import ApiKey
from tests.broker.consumer_groups.member import WireMember
from tests.soak.broker_chores import Chore
from tests.soak.broker_topics import PLAIN, SHARED
from tests.soak.wire_line import BrokerDiedError, WireLine

if TYPE_CHECKING:
    from tests.soak.broker import BrokerSoak

GROUP, INSTANCE = "by-wire", "static"
MOST = 5
LEFT, AWAY = -1, -2
Place = tuple[str, int]


class Tracked(WireMember):
    """`lost`: heartbeats in a row that have no answer. While there are any, the broker may know more than it.
    `taken`: what the last answer took from it; until its next heartbeat the broker counts that as its own."""

    lost = 0
    taken: frozenset[tuple[UUID, int]] = frozenset()


class Members(Chore):
    paced = True

    def __init__(self, soak: BrokerSoak) -> None:
        super().__init__(soak, "members")
        self.line = WireLine(soak.broker)
        self.members: list[Tracked] = []
        self.going: list[tuple[Tracked, int]] = []
        """Those who have said that they leave, and by which epoch; their answers are missing."""
        self.away: Tracked | None = None
        """The static member's last incarnation, until a next one is in its place."""
        self.topics: dict[UUID, str] = {}
        """Those that stay."""
        self.committed: dict[Place, int] = {}
        self.tried: dict[Place, int] = {}
        """Commits without an answer."""
        self.epochs = (0, 0)
        """Of the group and its target assignment."""
        self.seen_deaths = 0

    def run(self) -> None:
        topics = self.line.insist(ApiKey.METADATA, 12, topics=None, allow_auto_topic_creation=False).topics
        self.topics = {topic.topic_id: topic.name for topic in topics if topic.name in SHARED}
        while not self.soak.stop_writing.wait(0.005):
            try:
                if self.seen_deaths != self.line.deaths:
                    self.compare()
                    self.seen_deaths = self.line.deaths
                    self.events["restarts"] += 1
                self.step()
            except BrokerDiedError:
                continue
            self.rounds += 1

    def step(self) -> None:
        if self.going:
            self.say_goodbye(*self.going[0])
        dice = self.random.random()
        if not self.members or (dice < 0.05 and len(self.members) < MOST):
            self.join()
        elif dice < 0.08:
            self.leave(self.random.choice(self.members))
        elif dice < 0.15 and self.away is not None and self.static is None:
            self.join(INSTANCE)
        elif dice < 0.40:
            self.commit(self.random.choice(self.members))
        elif dice < 0.50:
            self.compare()
        else:
            self.beat(self.random.choice(self.members))

    @property
    def static(self) -> Tracked | None:
        """The static member's present incarnation."""
        return next((member for member in self.members if member.fields["instance_id"] is not None), None)

    # -- events ------------------------------------------------------------------------------------------------------
    def join(self, instance_id: str | None = None) -> None:
        if self.away is None and self.static is None:
            instance_id = INSTANCE
        # Both are said: a static member's next incarnation has of its predecessor what it does not say itself.
        topics, regex = self.random.choice((([*SHARED], ""), ([PLAIN], ""), ([], "p.*")))
        member = Tracked(self.line, GROUP, topics, subscribed_topic_regex=regex, instance_id=instance_id)
        self.members.append(member)
        self.beat(member)

    def beat(self, member: Tracked) -> None:
        epoch, owned = member.epoch, own(member)
        try:
            code = member.beat(full=member.lost > 0)
        except BrokerDiedError:
            member.lost += 1
            raise
        if member.lost and code is ErrorCode.fenced_member_epoch:
            self.check_fence(member)
            self.events["fenced"] += 1
            member.epoch, member.owned, member.taken = 0, {}, frozenset()
            return
        assert code is ErrorCode.none, f"{member.member_id} at {epoch}, {member.lost} answers lost: {code}"
        assert member.epoch >= epoch, f"epoch {member.epoch} after {epoch}"
        member.lost, member.taken = 0, owned - own(member)
        if member is self.static:
            self.away = None  # it has taken the place
        self.events["heartbeats"] += 1
        self.events["new epochs" if epoch else "joins"] += member.epoch > epoch
        self.check_owners([(one.member_id, topic, each) for one in self.members for topic, each in one.owned.items()])

    def check_fence(self, member: Tracked) -> None:
        """A member is let go on after one lost answer, unless the broker has gone on to take from it what it still
        has: `throwIfConsumerGroupMemberEpochIsInvalid` of Kafka. After two, the broker knows its present epoch and the
        one before, the member an older one."""
        if member.lost > 1:
            return
        found = next(one for one in self.describe().members if one.member_id == member.member_id)
        assert found.member_epoch > member.epoch, f"{member.member_id} at {member.epoch} was fenced at its own epoch"
        assert own(member), f"{member.member_id} at {member.epoch} was fenced, though nothing could be taken from it"

    def leave(self, member: Tracked) -> None:
        epoch = LEFT
        if member is self.static and self.away is None and not member.lost and self.random.random() < 0.8:
            epoch, self.away = AWAY, member
        self.members.remove(member)
        self.going.append((member, epoch))
        self.say_goodbye(member, epoch)

    def say_goodbye(self, member: Tracked, epoch: int) -> None:
        code = member.leave(epoch)
        gone = epoch == LEFT and code is ErrorCode.unknown_member_id  # by a farewell whose answer was lost
        assert code is ErrorCode.none or gone, f"{member.member_id} leaves with {epoch}: {code}"
        self.going.remove((member, epoch))
        self.events["away" if epoch == AWAY else "leaves"] += 1

    def commit(self, member: Tracked) -> None:
        places = [(self.topics[topic], p) for topic, each in member.owned.items() for p in each if topic in self.topics]
        if not places:
            return
        place = name, partition = self.random.choice(places)
        offset = self.tried.get(place, self.committed.get(place, 0)) + 1
        self.tried[place] = offset
        values = {
            "partition_index": partition,
            "committed_offset": offset,
            "committed_leader_epoch": -1,
            "committed_metadata": "",
        }
        answer = self.line.ask(
            ApiKey.OFFSET_COMMIT,
            9,
            group_id=GROUP,
            generation_id_or_member_epoch=member.epoch,
            member_id=member.member_id,
            group_instance_id=member.fields.get("instance_id"),
            topics=[{"name": name, "partitions": [values]}],
        )
        code = answer.topics[0].partitions[0].error_code
        if code is ErrorCode.none:
            self.committed[place] = offset
            self.events["commits"] += 1
        else:
            assert member.lost, f"commit with epoch {member.epoch}: {code}"
            assert code in (ErrorCode.stale_member_epoch, ErrorCode.unknown_member_id), code
            self.events["stale commits"] += 1

    # -- comparisons -------------------------------------------------------------------------------------------------
    def compare(self) -> None:
        """What the broker has of the group, with what its members were told."""
        self.compare_offsets()
        if not self.epochs[0] and not self.events["joins"]:
            return
        group = self.describe()
        epochs = group.group_epoch, group.assignment_epoch
        assert epochs[0] >= self.epochs[0], f"group epoch {epochs[0]} after {self.epochs[0]}"
        assert epochs[1] >= self.epochs[1], f"assignment epoch {epochs[1]} after {self.epochs[1]}"
        self.epochs = epochs
        found = {member.member_id: member for member in group.members}
        for member in self.members:
            if not member.epoch and member.lost:
                continue  # nobody has told it that it is in
            assert member.member_id in found, f"{member.member_id} at {member.epoch} is gone from {list(found)}"
            self.compare_member(member, found.pop(member.member_id))
        others = {member.member_id for member, _ in self.going} | {one.member_id for one in self.members if one.lost}
        if self.away is not None:
            others.add(self.away.member_id)
        assert found.keys() <= others, f"{found.keys() - others} are nobody's"
        self.check_owners(
            [
                (member.member_id, line.topic_id, line.partitions)
                for member in group.members
                for line in member.assignment.topic_partitions
            ]
        )
        self.events["comparisons"] += 1

    def describe(self) -> Any:
        group = self.line.ask(ApiKey.CONSUMER_GROUP_DESCRIBE, 1, group_ids=(GROUP,)).groups[0]
        assert group.error_code is ErrorCode.none, group
        return group

    def compare_member(self, member: Tracked, found: Any) -> None:
        assert found.member_epoch <= self.epochs[0]
        assert found.instance_id == member.fields.get("instance_id")
        if member.lost:
            assert found.member_epoch >= member.epoch, f"epoch {found.member_epoch}, {member.epoch} was acknowledged"
            return
        assert found.member_epoch == member.epoch, f"epoch {found.member_epoch}, {member.epoch} was acknowledged"
        assert list(found.subscribed_topic_names) == sorted(member.fields["subscribed_topic_names"])
        assert (found.subscribed_topic_regex or "") == member.fields["subscribed_topic_regex"]
        # Of topics that come and go, some are no more.
        described = {(topic, each) for topic, each in places_in(found.assignment) if topic in self.topics}
        told = {(topic, each) for topic, each in own(member) if topic in self.topics}
        assert told <= described <= told | member.taken, f"{member.member_id} has {described}, was told {told}"

    def compare_offsets(self) -> None:
        asked = [{"name": name, "partition_indexes": list(range(count))} for name, count in SHARED.items()]
        group = {"group_id": GROUP, "member_id": None, "member_epoch": -1, "topics": asked}
        answer = self.line.ask(ApiKey.OFFSET_FETCH, 9, groups=[group], require_stable=False).groups[0]
        if answer.error_code is ErrorCode.group_id_not_found:
            assert not self.committed
            return
        for topic in answer.topics:
            for one in topic.partitions:
                place = (topic.name, one.partition_index)
                offset, told = max(one.committed_offset, 0), self.committed.get(place, 0)
                most = self.tried.get(place, 0)
                assert told <= offset <= most, f"{place} has {offset}, {told} was acknowledged, {most} tried"
                self.committed[place] = offset

    def check_owners(self, lines: list[tuple[str, UUID, Any]]) -> None:
        owners: dict[tuple[UUID, int], str] = {}
        for member_id, topic, partitions in lines:
            for partition in partitions:
                other = owners.setdefault((topic, partition), member_id)
                assert other == member_id, f"{topic}-{partition} is owned by {other} and {member_id}"

    def check(self) -> None:
        super().check()
        for _ in range(10):
            for member in self.members:
                self.beat(member)
        self.compare()
        self.line.close()


def own(member: Tracked) -> frozenset[tuple[UUID, int]]:
    """What a member owns, partition by partition."""
    return frozenset((topic, partition) for topic, each in member.owned.items() for partition in each)


def places_in(assignment: Any) -> set[tuple[UUID, int]]:
    """Of an assignment as it is described."""
    return {(line.topic_id, partition) for line in assignment.topic_partitions for partition in line.partitions}
