"""Runs a consumer group by itself: no socket, no event loop, a clock by hand; with clients that own partitions.

A client does what real ones do: it takes what it is told, gives up at once what it is not told any more, and says what
it owns after that. `lose` drops the answer of a heartbeat, `hold` has the client keep what it was to give up.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from kio.schema.errors import ErrorCode

from broker.consumer_groups import expiry, heartbeat, leave, persisted
from broker.consumer_groups.group import ConsumerGroup
from broker.consumer_groups.member import AWAY, LEAVING
from broker.consumer_groups.partitions import NONE, Partitions
from broker.consumer_groups.persisted import GroupImage
from broker.consumer_groups.record_key import decode_consumer_group_key
from broker.consumer_groups.requests import GroupRefusedError, HeartbeatRequest
from broker.consumer_groups.settings import ConsumerGroupSettings
from broker.consumer_groups.validation import validate
from broker.groups.effects import Schedule, TimerEffect
from broker.groups.timer import Timer
from broker.journal.fields import FieldReader
from broker.timers.heap import TimerHeap
from tests.broker.consumer_groups.topics import Topics

START_MS = 1_000_000
REBALANCE_MS = 30_000


@dataclass(slots=True)
class Client:
    """What a member knows of itself."""

    member_id: str
    topics: frozenset[str] | None = None
    regex: str | None = None
    instance_id: str | None = None
    assignor: str | None = None
    principal: str = ""
    epoch: int = 0
    owned: Partitions = NONE
    told: Partitions = NONE
    news: bool = True
    """Something to say that its last answered heartbeat did not say."""
    events: list[str] = field(default_factory=list[str])


class ConsumerGroupMachine:
    """One group with its timers and its log, and its clients by name."""

    def __init__(self, settings: ConsumerGroupSettings | None = None, **topics: int) -> None:
        self.settings = settings or ConsumerGroupSettings()
        self.topics = Topics(**topics)
        self.now_ms = START_MS
        self.group = ConsumerGroup(group_id="g")
        self.timers: TimerHeap[Timer] = TimerHeap()
        self.log: list[tuple[bytes, bytes | None]] = []
        self.clients: dict[str, Client] = {}

    # -- clients -----------------------------------------------------------------------------------------------------
    def join(
        self,
        name: str,
        topics: str | None = "t",
        *,
        regex: str | None = None,
        instance: str | None = None,
        assignor: str | None = None,
        id: str | None = None,
        principal: str = "",
    ) -> ErrorCode:
        """A new client joins; topics parted by commas."""
        names = None if topics is None else frozenset(topics.split(",")) - {""}
        client = Client(id or name, names, regex, instance, assignor, principal)
        code = self.beat(client)
        if code is ErrorCode.none:
            self.clients[name] = client
        return code

    def beat(self, who: Client | str, *, lose: bool = False, hold: bool = False, quiet: bool = False) -> ErrorCode:
        """One heartbeat and, unless `lose`, its answer; `quiet`: one that says nothing but that the member is there."""
        client = self.clients[who] if isinstance(who, str) else who
        full = client.epoch == 0 or client.news
        code = self.request(
            member_id=client.member_id,
            member_epoch=client.epoch,
            instance_id=client.instance_id,
            rebalance_timeout_ms=REBALANCE_MS if full else -1,
            topics=client.topics if full else None,
            regex=client.regex if full else None,
            assignor=client.assignor,
            principal=client.principal,
            owned=NONE if client.epoch == 0 else None if quiet else client.owned,
        )
        if code in (ErrorCode.fenced_member_epoch, ErrorCode.unknown_member_id):
            client.epoch, client.owned, client.news = 0, NONE, True
        if code is not ErrorCode.none:
            return code
        client.news = lose
        if not lose:
            member = self.group.members[client.member_id]
            client.epoch = member.progress.epoch
            client.told = member.progress.assigned
            client.owned = client.told | client.owned if hold else client.told
        return code

    def subscribe(self, name: str, topics: str) -> ErrorCode:
        """Another subscription; says so at once."""
        self.clients[name].topics = frozenset(topics.split(",")) - {""}
        self.clients[name].news = True
        return self.beat(name)

    def leave(self, name: str, *, away: bool = False) -> ErrorCode:
        client = self.clients.pop(name)
        return self.request(
            member_id=client.member_id, member_epoch=AWAY if away else LEAVING, instance_id=client.instance_id
        )

    def request(self, **fields: object) -> ErrorCode:
        """One request as it is, to the group; then what follows from it."""
        request = HeartbeatRequest(
            **{  # pyright: ignore[reportArgumentType]
                "version": 1,
                "group_id": "g",
                "new_member_id": "made-up",
                "client_id": "client",
                "client_host": "/127.0.0.1",
                **fields,
            }
        )
        try:
            validate(request)
            if request.member_epoch < 0:
                effects = leave.leave(self.group, request, self.topics)
            else:
                _, _, effects = heartbeat.heartbeat(self.group, self.settings, request, self.topics, self.now_ms)
        except GroupRefusedError as refusal:
            assert not self.group.unsaved, "a refused request changes nothing"
            return refusal.code
        self.apply(effects)
        return ErrorCode.none

    # -- the group ---------------------------------------------------------------------------------------------------
    def apply(self, effects: Iterable[TimerEffect]) -> None:
        for effect in effects:
            if isinstance(effect, Schedule):
                assert effect.at_ms > self.now_ms, f"{effect} is set into the past"
                self.timers.schedule(effect.timer, effect.at_ms)
            else:
                self.timers.cancel(effect.timer)
        self.log += persisted.take_records(self.group)

    def advance(self, ms: int) -> None:
        """Moves the clock, stopping at every timer on the way."""
        end_ms = self.now_ms + ms
        while (at_ms := self.timers.next_ms()) is not None and at_ms <= end_ms:
            self.now_ms = max(self.now_ms, at_ms)
            for timer in self.timers.due(self.now_ms):
                self.apply(expiry.timer_fired(self.group, timer, self.topics, self.now_ms))
        self.now_ms = end_ms

    def settle(self, rounds: int = 12) -> None:
        """Everybody beats until nothing moves any more."""
        for _ in range(rounds):
            for name in list(self.clients):
                self.beat(name)
            self.advance(100)

    def restart(self) -> None:
        """The broker is killed and started: only the log is left."""
        image = GroupImage()
        for key, value in self.log:
            reader = FieldReader(key)
            image.apply(decode_consumer_group_key(reader.int16(), reader), value)
        if image.epoch is None:
            return  # nobody has joined yet
        before = self.group
        self.timers = TimerHeap()
        self.group, effects = persisted.from_image("g", image, self.now_ms, self.settings.session_timeout_ms)
        self.apply(effects)
        assert (self.group.epoch, self.group.target_epoch) == (before.epoch, before.target_epoch)
        assert self.group.members.keys() == before.members.keys()
        assert self.group.owners == before.owners
        assert self.group.static_ids == before.static_ids

    # -- looks -------------------------------------------------------------------------------------------------------
    def owned(self, name: str) -> list[str]:
        """What a client owns, as "topic-partition", in order."""
        names = {topic.id: topic.name for topic in self.topics.by_name.values()}
        return sorted(f"{names.get(topic_id, '?')}-{index}" for topic_id, index in self.clients[name].owned)

    def told(self, name: str) -> list[str]:
        names = {topic.id: topic.name for topic in self.topics.by_name.values()}
        return sorted(f"{names.get(topic_id, '?')}-{index}" for topic_id, index in self.clients[name].told)

    @property
    def state(self) -> str:
        return self.group.state.value
