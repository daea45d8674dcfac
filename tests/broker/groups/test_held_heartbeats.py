"""Heartbeats that wait for news. The clock is moved by hand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from kio.schema.errors import ErrorCode

from broker import Broker
from broker.groups.requests import JoinResult, MemberIdentity
from broker.options import BrokerOptions
from broker.server.held_answer import HeldAnswer
from tests.broker.groups.test_coordinator import Bench
from tests.broker.groups.test_group_timing import DESCRIBE, HEARTBEAT, WireMember

SESSION_MS = 10_000
HOLD_MS = SESSION_MS // 15


@asynccontextmanager
async def settled(**settings: int) -> AsyncIterator[tuple[Bench, JoinResult]]:
    """A group with one member that has its assignment."""
    bench = Bench(**settings)
    joined = await bench.join()
    await bench.sync(joined, **{joined.member_id: b"all"})
    yield bench, joined
    await bench.coordinator.close()


def hold(bench: Bench, joined: JoinResult) -> HeldAnswer | None:
    """What the handler does with a heartbeat; its answer is the code."""
    who = MemberIdentity(joined.member_id)
    assert bench.coordinator.heartbeat("g", who, joined.generation) is ErrorCode.none
    return bench.coordinator.held.hold("g", who, joined.generation, lambda code: code)


def held(bench: Bench, joined: JoinResult) -> HeldAnswer:
    answer = hold(bench, joined)
    assert answer is not None
    return answer


def test_held_heartbeat_learns_of_a_rebalance_at_once() -> None:
    async def run() -> None:
        async with settled() as (bench, first):
            answer = held(bench, first)
            second = asyncio.create_task(bench.join())
            assert await answer is ErrorCode.rebalance_in_progress
            second.cancel()
            assert bench.coordinator.held.groups == {}

    asyncio.run(run())


def test_held_heartbeat_without_news_is_answered_when_its_time_is_over() -> None:
    async def run() -> None:
        async with settled() as (bench, first):
            answer = held(bench, first)
            bench.advance(HOLD_MS - 1)
            assert not answer.done()
            bench.advance(1)
            assert answer.result() is ErrorCode.none

    asyncio.run(run())


def test_held_heartbeat_is_answered_when_it_is_released() -> None:
    async def run() -> None:
        async with settled() as (bench, first):
            answer = held(bench, first)
            answer.release()
            assert answer.result() is ErrorCode.none
            answer.release()

    asyncio.run(run())


def test_held_heartbeat_gives_way_to_the_members_next() -> None:
    async def run() -> None:
        async with settled() as (bench, first):
            before, after = held(bench, first), held(bench, first)
            assert before.result() is ErrorCode.none
            assert not after.done()

    asyncio.run(run())


def test_held_heartbeat_of_a_member_that_is_removed_says_so() -> None:
    async def run() -> None:
        async with settled() as (bench, first):
            answer = held(bench, first)
            assert bench.coordinator.leave("g", [MemberIdentity(first.member_id)]) == [ErrorCode.none]
            assert answer.result() is ErrorCode.unknown_member_id

    asyncio.run(run())


def test_held_heartbeat_whose_client_has_gone_is_forgotten() -> None:
    async def run() -> None:
        async with settled() as (bench, first):
            held(bench, first).cancel()
            await asyncio.sleep(0)
            assert bench.coordinator.held.groups == {}
            bench.advance(HOLD_MS)

    asyncio.run(run())


def test_held_heartbeat_does_not_lengthen_the_session() -> None:
    """It counts from when it came; nobody comes after it."""

    async def run() -> None:
        async with settled(heartbeat_hold_ms=SESSION_MS) as (bench, first):
            held(bench, first)
            bench.advance(HOLD_MS)
            bench.advance(SESSION_MS - HOLD_MS)
            who = MemberIdentity(first.member_id)
            assert bench.coordinator.heartbeat("g", who, first.generation) is ErrorCode.unknown_member_id

    asyncio.run(run())


@pytest.mark.parametrize("longest", [0, 1])
def test_held_heartbeat_is_held_no_longer_than_the_setting_says(longest: int) -> None:
    async def run() -> None:
        async with settled(heartbeat_hold_ms=longest) as (bench, first):
            answer = hold(bench, first)
            assert (answer is None) == (longest == 0)
            if answer is not None:
                bench.advance(1)
                assert answer.done()

    asyncio.run(run())


def test_held_heartbeats_end_with_the_coordinator() -> None:
    async def run() -> None:
        async with settled() as (bench, first):
            answer = held(bench, first)
        assert answer.cancelled()

    asyncio.run(run())


def test_held_heartbeat_on_the_wire_waits_for_news_or_the_next_request(tmp_path: Path) -> None:
    """A hold of two minutes, and a client that waits for twenty seconds at most."""
    options = BrokerOptions(data=tmp_path, group_heartbeat_hold_ms=1_000_000)
    with Broker(options=options) as broker:
        first, second = WireMember(broker.bootstrap_servers, "g"), WireMember(broker.bootstrap_servers, "g")
        with first.client, second.client:
            first.join(session=1_800)
            first.lead()
            first.client.send(HEARTBEAT, 3, **first.identity)
            first.client.send(DESCRIBE, 5, groups=["g"])
            assert first.client.receive(HEARTBEAT, 3, before=1).error_code is ErrorCode.none
            assert first.client.receive(DESCRIBE, 5).groups[0].group_state == "Stable"
            first.client.send(HEARTBEAT, 3, **first.identity)
            second.ask_to_join(session=1_800)
            assert first.client.receive(HEARTBEAT, 3).error_code is ErrorCode.rebalance_in_progress
