"""The coordinator around the groups: futures, timers, persistence, offsets. The clock is moved by hand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from itertools import count

import pytest
from kio.schema.errors import ErrorCode

from broker.consumer_groups.configs import GroupConfigs
from broker.consumer_groups.settings import ConsumerGroupSettings
from broker.groups.coordinator import GroupCoordinator
from broker.groups.member import Protocol
from broker.groups.requests import JoinRequest, JoinResult, MemberIdentity, SyncRequest, SyncResult
from broker.groups.settings import GroupSettings
from broker.offsets.committed_offset import CommittedOffset
from tests.broker.consumer_groups.topics import Topics
from tests.broker.journal.memory_log import MemoryJournalLog

DAY_MS = 24 * 3_600_000


class Clock:
    def __init__(self) -> None:
        self.now_ms = 1_000_000

    def __call__(self) -> int:
        return self.now_ms


class Bench:
    """A coordinator, its log and its clock."""

    def __init__(self, log: MemoryJournalLog | None = None, **settings: int) -> None:
        self.clock = Clock()
        self.log = log or MemoryJournalLog()
        ids = count(1)
        self.coordinator = GroupCoordinator(
            settings=GroupSettings(**{"initial_rebalance_delay_ms": 0, **settings}),
            offsets_log=self.log,
            clock=self.clock,
            new_id=lambda: f"m{next(ids)}",
            topics=Topics(),
            configs=GroupConfigs(ConsumerGroupSettings()),
        )
        self.coordinator.start()

    def advance(self, ms: int) -> None:
        self.clock.now_ms += ms
        self.coordinator.alarm.ring()

    async def join(self, member_id: str = "", *, group: str = "g", metadata: bytes = b"") -> JoinResult:
        return await self.coordinator.join(
            JoinRequest(
                group_id=group,
                member_id=member_id,
                new_member_id=self.coordinator.new_id(),
                instance_id=None,
                client_id="c",
                client_host="/h",
                session_timeout_ms=10_000,
                rebalance_timeout_ms=30_000,
                protocol_type="consumer",
                protocols=(Protocol("range", metadata),),
                requires_known_id=False,
            )
        )

    async def sync(self, joined: JoinResult, **assignments: bytes) -> SyncResult:
        return await self.coordinator.sync(
            SyncRequest(
                group_id="g",
                member_id=joined.member_id,
                instance_id=None,
                generation=joined.generation,
                protocol_type=None,
                protocol_name=None,
                assignments=assignments,
            )
        )

    async def stable(self, metadata: bytes = b"") -> JoinResult:
        joined = await self.join(metadata=metadata)
        await self.sync(joined, **{joined.member_id: b"mine"})
        return joined

    def offset(self, offset: int) -> CommittedOffset:
        return CommittedOffset(offset=offset, commit_timestamp_ms=self.clock())


@asynccontextmanager
async def bench(log: MemoryJournalLog | None = None, **settings: int) -> AsyncIterator[Bench]:
    made = Bench(log, **settings)
    yield made
    made.log.open.set()
    await made.coordinator.close()


def run(body: Callable[[], Awaitable[None]]) -> None:
    async def main() -> None:
        await asyncio.wait_for(body(), 10)

    asyncio.run(main())


async def settle() -> None:
    """Lets everything that can run, run."""
    for _ in range(20):
        await asyncio.sleep(0)


def test_coordinator_two_members_share_a_generation() -> None:
    """The second join waits for the first member to come back; both get the same generation, one the roster."""

    async def body() -> None:
        async with bench() as b:
            first = await b.stable()
            second = asyncio.create_task(b.join())
            await settle()
            assert not second.done()
            who = MemberIdentity(first.member_id)
            assert b.coordinator.heartbeat("g", who, first.generation) is ErrorCode.rebalance_in_progress
            first = await b.join(first.member_id)
            other = await second
            assert (first.generation, len(first.members), other.generation, len(other.members)) == (2, 2, 2, 0)
            waiting = asyncio.create_task(b.sync(other))
            await settle()
            assert not waiting.done()
            mine = await b.sync(first, **{first.member_id: b"x", other.member_id: b"y"})
            assert (mine.assignment, (await waiting).assignment) == (b"x", b"y")

    run(body)


def test_coordinator_sync_is_answered_when_the_record_is_durable() -> None:
    """Else a crash could lose a generation that members already work in."""

    async def body() -> None:
        async with bench() as b:
            joined = await b.join()
            b.log.open.clear()
            waiting = asyncio.create_task(b.sync(joined, **{joined.member_id: b"x"}))
            await settle()
            assert not waiting.done()
            b.log.open.set()
            assert (await waiting).assignment == b"x"

    run(body)


def test_coordinator_failing_log_fails_the_request(caplog: pytest.LogCaptureFixture) -> None:
    """The disk is full: nobody is told that a commit or a generation was kept; clients will try again, and can."""

    async def body() -> None:
        async with bench() as b:
            joined = await b.join()
            b.log.fault = OSError(28, "No space left on device")
            failed = await b.sync(joined, **{joined.member_id: b"x"})
            assert (failed.error, failed.assignment) == (ErrorCode.coordinator_not_available, b"")
            offsets = {("t", 0): b.offset(1)}
            assert await b.coordinator.commit("simple", offsets) is ErrorCode.coordinator_not_available
            assert "No space left on device" in caplog.text
            b.log.fault = None
            assert await b.coordinator.commit("simple", offsets) is ErrorCode.none
            assert (await b.sync(joined)).assignment == b"x"

    run(body)


def test_coordinator_commits_of_one_tick_go_out_in_one_batch() -> None:
    """And those that arrive while a batch is being written share the next one."""

    async def body() -> None:
        async with bench() as b:
            b.log.open.clear()
            first = [asyncio.create_task(b.coordinator.commit(f"g{i}", {("t", 0): b.offset(i)})) for i in range(5)]
            await settle()
            later = [asyncio.create_task(b.coordinator.commit(f"h{i}", {("t", 0): b.offset(i)})) for i in range(7)]
            await settle()
            b.log.open.set()
            await asyncio.gather(*first, *later)
            assert [len(batch) for batch in b.log.batches] == [5, 7]

    run(body)


def test_coordinator_cancelled_commit_does_not_hurt_its_neighbours() -> None:
    """A client hangs up while its commit is being written: the others of the same batch are answered."""

    async def body() -> None:
        async with bench() as b:
            b.log.open.clear()
            mine, other = (asyncio.create_task(b.coordinator.commit(g, {("t", 0): b.offset(1)})) for g in ("g", "h"))
            await settle()
            mine.cancel()
            await settle()
            b.log.open.set()
            await other
            assert mine.cancelled()

    run(body)


def test_coordinator_cancelled_join_does_not_hurt_the_group() -> None:
    """A client hangs up while it waits: its answer is dropped, the member goes with its session."""

    async def body() -> None:
        async with bench(new_member_timeout_ms=60_000) as b:
            first = await b.stable()
            second = asyncio.create_task(b.join())
            await settle()
            second.cancel()
            await settle()
            rejoined = await b.join(first.member_id)
            assert rejoined.generation == 2
            await b.sync(rejoined, **{first.member_id: b"x"})
            b.advance(9_000)
            b.coordinator.heartbeat("g", MemberIdentity(first.member_id), 2)
            b.advance(9_000)
            assert (await b.join(first.member_id)).generation == 3
            assert list(b.coordinator.groups["g"].members) == [first.member_id]

    run(body)


def test_coordinator_restart_goes_on_with_groups_and_offsets() -> None:
    """The log is all that survives; members beat and commit in their old generation."""

    async def body() -> None:
        log = MemoryJournalLog()
        async with bench(log) as b:
            joined = await b.stable()
            await b.coordinator.commit("g", {("t", 0): b.offset(5), ("t", 1): b.offset(6)})
            await b.coordinator.commit("g", {("t", 0): b.offset(7)})
            await b.coordinator.delete_offsets("g", [("t", 1)])
            await b.coordinator.commit("simple", {("t", 0): b.offset(1)})
            await b.coordinator.commit("gone", {("t", 0): b.offset(1)})
            assert await b.coordinator.delete("gone") is ErrorCode.none
        async with bench(log) as b:
            who = MemberIdentity(joined.member_id)
            assert b.coordinator.heartbeat("g", who, 1) is ErrorCode.none
            assert b.coordinator.check_commit("g", who, 1, version=8) is ErrorCode.none
            assert {p: c.offset for p, c in b.coordinator.offsets.of_group("g").items()} == {("t", 0): 7}
            assert [g.group_id for g in b.coordinator.list_all()] == ["g", "simple"]
            b.advance(10_000)
            assert b.coordinator.heartbeat("g", who, 1) is ErrorCode.unknown_member_id

    run(body)


@pytest.mark.parametrize(
    ("group", "session_ms", "error"),
    [
        ("", 10_000, ErrorCode.invalid_group_id),
        ("g", 5_999, ErrorCode.invalid_session_timeout),
        ("g", 1_800_001, ErrorCode.invalid_session_timeout),
    ],
)
def test_coordinator_join_outside_the_limits_is_refused(group: str, session_ms: int, error: ErrorCode) -> None:
    """And leaves no group behind."""

    async def body() -> None:
        async with bench() as b:
            result = await b.coordinator.join(
                JoinRequest(
                    group_id=group,
                    member_id="",
                    new_member_id="m",
                    instance_id=None,
                    client_id="c",
                    client_host="/h",
                    session_timeout_ms=session_ms,
                    rebalance_timeout_ms=1,
                    protocol_type="consumer",
                    protocols=(Protocol("range", b""),),
                    requires_known_id=False,
                )
            )
            assert result.error is error
            assert b.coordinator.groups == {}

    run(body)


def test_coordinator_unknown_group_answers() -> None:
    """Each request has its own way to say that there is no such group."""

    async def body() -> None:
        async with bench() as b:
            c, who = b.coordinator, MemberIdentity("m")
            assert (await b.join("m")).error is ErrorCode.unknown_member_id
            assert c.heartbeat("g", who, 1) is ErrorCode.unknown_member_id
            assert c.leave("g", [who, who]) == [ErrorCode.unknown_member_id] * 2
            assert c.check_commit("g", who, 1, version=8) is ErrorCode.group_id_not_found
            assert c.check_commit("g", MemberIdentity(""), -1, version=8) is ErrorCode.none
            assert c.describe("g") is None
            assert await c.delete("g") is ErrorCode.group_id_not_found
            assert c.groups == {}

    run(body)


def test_coordinator_group_with_members_is_not_deleted() -> None:
    """Its offsets stay, too."""

    async def body() -> None:
        async with bench() as b:
            await b.stable()
            await b.coordinator.commit("g", {("t", 0): b.offset(5)})
            assert await b.coordinator.delete("g") is ErrorCode.non_empty_group
            assert b.coordinator.offsets.get("g", ("t", 0)) is not None

    run(body)


def test_coordinator_offsets_expire_a_week_after_the_group_became_empty() -> None:
    """Not after their commit; and the group goes with the last of them, for good."""

    async def body() -> None:
        log = MemoryJournalLog()
        async with bench(log) as b:
            joined = await b.stable()
            await b.coordinator.commit("g", {("t", 0): b.offset(5)})
            b.advance(9_000)
            b.coordinator.heartbeat("g", MemberIdentity(joined.member_id), 1)
            assert b.coordinator.leave("g", [MemberIdentity(joined.member_id)]) == [ErrorCode.none]
            b.advance(7 * DAY_MS - 1)
            assert "g" in b.coordinator.groups
            b.advance(600_001)
            assert b.coordinator.groups == {}
        async with bench(log) as b:
            assert b.coordinator.groups == {}
            assert b.coordinator.offsets.groups == {}

    run(body)


def test_coordinator_live_group_keeps_offsets_of_subscribed_topics_only() -> None:
    """A topic it no longer reads is forgotten when its retention is over."""

    async def body() -> None:
        subscription = b"\x00\x03" + b"\x00\x00\x00\x01" + b"\x00\x04kept" + b"\xff\xff\xff\xff"
        async with bench(offsets_retention_ms=8_000, offsets_retention_check_ms=1_000) as b:
            await b.stable(metadata=subscription)
            await b.coordinator.commit("g", {("kept", 0): b.offset(5), ("left", 0): b.offset(6)})
            b.advance(7_999)
            assert len(b.coordinator.offsets.of_group("g")) == 2
            b.advance(1_001)
            assert list(b.coordinator.offsets.of_group("g")) == [("kept", 0)]

    run(body)


def test_coordinator_deleted_topic_is_forgotten_by_all_groups() -> None:
    """A topic made anew under the same name starts from nothing."""

    async def body() -> None:
        log = MemoryJournalLog()
        async with bench(log) as b:
            for group in ("g", "h"):
                await b.coordinator.commit(group, {("t", 0): b.offset(5), ("u", 0): b.offset(6)})
            b.coordinator.topic_deleted("t")
        async with bench(log) as b:
            assert [list(b.coordinator.offsets.of_group(group)) for group in ("g", "h")] == [[("u", 0)]] * 2

    run(body)
