"""What holds of a group whatever its members do, in whatever order, and whenever they fall silent."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from broker.groups.requests import JoinResult, SyncResult
from broker.groups.settings import GroupSettings
from broker.groups.state import GroupState
from tests.broker.groups.machine import GroupMachine

DYNAMIC = ["a", "b", "c", "d"]
INSTANCES = ["i", "j"]
PROTOCOLS = ["range:1", "range:2", "sticky:1,range:1", "range:1,sticky:2"]


class GroupLife(RuleBasedStateMachine):
    """Members join, sync, beat, leave, restart and fall silent; time passes; the broker is killed and comes back."""

    def __init__(self) -> None:
        super().__init__()
        self.machine = GroupMachine(GroupSettings(initial_rebalance_delay_ms=0))
        self.generation = 0
        self.persisted = 0
        self.incarnations = dict.fromkeys(INSTANCES, 0)
        self.leaders: dict[int, set[str]] = {}
        self.seen_results = 0

    @initialize(delay=st.sampled_from([0, 3_000]))
    def configure(self, delay: int) -> None:
        self.machine.settings = GroupSettings(initial_rebalance_delay_ms=delay)

    @rule(name=st.sampled_from(DYNAMIC), protocols=st.sampled_from(PROTOCOLS), version=st.sampled_from([3, 5]))
    def join(self, name: str, protocols: str, version: int) -> None:
        machine = self.machine
        if machine.ids.get(name) not in machine.group.members and name not in machine.group.pending:
            machine.ids.pop(name, None)
        if name in machine.tickets.values() and name not in machine.ids:
            return  # its first join still waits, and it has no id to repeat it with
        machine.join(name, protocols=protocols, version=version, rebalance=5_000, session=6_000)

    @rule(instance=st.sampled_from(INSTANCES), protocols=st.sampled_from(PROTOCOLS), version=st.sampled_from([5, 9]))
    def restart_static(self, instance: str, protocols: str, version: int) -> None:
        self.incarnations[instance] += 1
        name = f"{instance}{self.incarnations[instance]}"
        self.machine.join(name, instance=instance, protocols=protocols, version=version, rebalance=5_000, session=6_000)

    @rule(instance=st.sampled_from(INSTANCES), back=st.integers(0, 1), protocols=st.sampled_from(PROTOCOLS))
    def rejoin_static(self, instance: str, back: int, protocols: str) -> None:
        name = f"{instance}{self.incarnations[instance] - back}"
        if name in self.machine.ids:
            self.machine.join(name, instance=instance, protocols=protocols, rebalance=5_000, session=6_000)

    @rule(data=st.data())
    def sync(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self.machine.generations) or ["nobody"]))
        names = sorted(self.machine.group.members)
        self.machine.sync(name, assign=",".join(f"{member}:{member}" for member in names))

    @rule(data=st.data())
    def beat(self, data: st.DataObject) -> None:
        self.machine.beat(data.draw(st.sampled_from(sorted(self.machine.ids) or ["nobody"])))

    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        self.machine.leave(data.draw(st.sampled_from(sorted(self.machine.ids) or ["nobody"])))

    @rule(ms=st.sampled_from([1, 999, 3_000, 5_000, 6_000, 20_000]))
    def pass_time(self, ms: int) -> None:
        self.machine.advance(ms)

    @rule()
    def kill_the_broker(self) -> None:
        self.machine.restart()
        self.generation = self.machine.group.generation
        assert self.generation >= self.persisted

    @invariant()
    def generations_never_go_back(self) -> None:
        assert self.machine.group.generation >= self.generation
        self.generation = self.machine.group.generation
        if self.machine.record is not None:
            assert self.machine.record.generation >= self.persisted
            self.persisted = self.machine.record.generation

    @invariant()
    def there_is_one_leader_who_is_a_member(self) -> None:
        group = self.machine.group
        assert (group.leader in group.members) if group.members else group.leader is None

    @invariant()
    def members_and_state_agree(self) -> None:
        group = self.machine.group
        assert all(member_id == member.member_id for member_id, member in group.members.items())
        assert not group.pending & set(group.members), "a pending id is no member"
        assert group.pending_sync <= set(group.members)
        assert all(group.members[m].instance_id == i for i, m in group.static_ids.items())
        statics = [m.instance_id for m in group.members.values() if m.instance_id is not None]
        assert sorted(statics) == sorted(group.static_ids), "an instance id has one member"
        waiting_join = [m for m in group.members.values() if m.join_ticket is not None]
        waiting_sync = [m for m in group.members.values() if m.sync_ticket is not None]
        match group.state:
            case GroupState.EMPTY:
                assert not group.members
            case GroupState.PREPARING_REBALANCE:
                assert not waiting_sync
                assert group.initial_remaining_ms is not None or not group.all_joined, "nobody is missing"
            case GroupState.COMPLETING_REBALANCE:
                assert group.members
                assert not waiting_join
            case GroupState.STABLE:
                assert group.members
                assert not waiting_join
                assert not waiting_sync
            case GroupState.DEAD:
                raise AssertionError("nobody deletes the group here")

    @invariant()
    def every_waiting_request_belongs_to_a_member(self) -> None:
        group = self.machine.group
        tickets = {m.join_ticket for m in group.members.values()} | {m.sync_ticket for m in group.members.values()}
        assert set(self.machine.tickets) == tickets - {None}

    @invariant()
    def every_wait_ends(self) -> None:
        group, timers = self.machine.group, self.machine.timers.live
        kinds = {timer.kind.value for timer in timers}
        assert ("join" in kinds) == (group.state is GroupState.PREPARING_REBALANCE)
        assert ("sync" in kinds) == bool(group.pending_sync)
        assert {t.member_id for t in timers if t.kind.value == "session"} == set(group.members)
        assert {t.member_id for t in timers if t.kind.value == "pending"} == group.pending

    @invariant()
    def each_generation_has_one_leader_and_members_get_their_own_assignment(self) -> None:
        for _name, result in self.machine.results[self.seen_results :]:
            if isinstance(result, JoinResult) and result.error == 0 and result.members:
                assert result.leader in {m.member_id for m in result.members}
                assert len({m.member_id for m in result.members}) == len(result.members)
            if isinstance(result, SyncResult) and result.error != 0:
                assert result.assignment == b""
        self.seen_results = len(self.machine.results)


TestGroupLife = GroupLife.TestCase
TestGroupLife.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
