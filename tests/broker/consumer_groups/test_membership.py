"""Consumer groups in their coordinator: durable before answered, offsets that age, two kinds under one roof."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from types import SimpleNamespace
from typing import Any

from kio.index import load_request_schema
from kio.schema.errors import ErrorCode

from broker.consumer_groups.group import ConsumerGroup
from broker.consumer_groups.partitions import NONE
from broker.consumer_groups.requests import HeartbeatRequest, HeartbeatResult
from broker.handlers import consumer_group_describe
from tests.broker.groups.test_coordinator import DAY_MS, Bench, bench, run, settle

OK = ErrorCode.none
JOIN = {"member_epoch": 0, "rebalance_timeout_ms": 30_000, "topics": frozenset({"t"}), "owned": NONE}


async def beat(b: Bench, member_id: str = "a", **fields: Any) -> HeartbeatResult:
    """A heartbeat; it joins unless an epoch is given."""
    return await b.coordinator.consumer_heartbeat(
        HeartbeatRequest(
            **{
                "version": 1,
                "group_id": "g",
                "member_id": member_id,
                "new_member_id": "new",
                "client_id": "c",
                "client_host": "/h",
                **(JOIN if "member_epoch" not in fields else {}),
                **fields,
            }
        )
    )


def test_heartbeat_is_answered_when_its_records_are_durable() -> None:
    """So is one that writes nothing itself, but tells what another one wrote."""

    async def body() -> None:
        async with bench() as b:
            b.log.open.clear()
            joining = asyncio.create_task(beat(b))
            await settle()
            following = asyncio.create_task(beat(b, member_epoch=2))
            await settle()
            assert not joining.done()
            assert not following.done()
            b.log.open.set()
            assert ((await joining).member_epoch, (await following).error) == (2, OK)

    run(body)


def described(b: Bench) -> Coroutine[Any, Any, Any]:
    """ConsumerGroupDescribe of the group, for someone who may everything."""
    broker = SimpleNamespace(
        groups=b.coordinator,
        authorizer=None,
        topics=SimpleNamespace(by_id=lambda _: None),
        features=SimpleNamespace(level=lambda _: 1),
    )
    context = SimpleNamespace(broker=broker, may=lambda *_: True)
    request = load_request_schema(69, 1)(group_ids=("g",), include_authorized_operations=False)
    return consumer_group_describe.handle(context, request)  # type: ignore[arg-type]


def test_group_is_described_when_what_is_told_is_durable() -> None:
    """Else an administrator would be shown an epoch that the next crash takes back."""

    async def body() -> None:
        async with bench() as b:
            await beat(b)
            b.log.open.clear()
            joining = asyncio.create_task(beat(b, "b"))
            await settle()
            describing = asyncio.create_task(described(b))
            await settle()
            assert not describing.done()
            b.log.open.set()
            assert (await describing).groups[0].group_epoch == 3
            assert (await joining).error is OK

    run(body)


def test_group_whose_records_are_lost_is_not_described() -> None:
    async def body() -> None:
        async with bench() as b:
            await beat(b)
            b.log.open.clear()
            b.log.fault = OSError("the disk is full")
            joining = asyncio.create_task(beat(b, "b"))
            await settle()
            describing = asyncio.create_task(described(b))
            await settle()
            b.log.open.set()
            assert (await describing).groups[0].error_code is ErrorCode.coordinator_not_available
            assert (await joining).error is ErrorCode.coordinator_not_available

    run(body)


def test_heartbeat_whose_records_are_lost_is_to_be_tried_again() -> None:
    async def body() -> None:
        async with bench() as b:
            b.log.fault = OSError("the disk is full")
            assert (await beat(b)).error is ErrorCode.coordinator_not_available
            b.log.fault = None
            assert (await beat(b)).error is OK
            log = b.log
        async with bench(log) as b:
            assert (await beat(b, member_epoch=2)).error is OK

    run(body)


def test_group_is_there_after_a_restart_with_its_sessions() -> None:
    async def body() -> None:
        async with bench() as b:
            b.coordinator.topics.make("t", 2)  # pyright: ignore[reportAttributeAccessIssue]
            told = await beat(b)
            log = b.log
        async with bench(log) as b:
            b.coordinator.topics.make("t", 2)  # pyright: ignore[reportAttributeAccessIssue]
            again = await beat(b, member_epoch=told.member_epoch, owned=told.assigned)
            assert (again.error, again.member_epoch, again.assigned) == (OK, 2, None)
            b.advance(45_000)
            assert (await beat(b, member_epoch=2)).error is ErrorCode.unknown_member_id

    run(body)


def test_deleted_group_is_gone_after_a_restart() -> None:
    async def body() -> None:
        async with bench() as b:
            await beat(b)
            assert await b.coordinator.delete("g") is ErrorCode.non_empty_group
            await beat(b, member_epoch=-1)
            assert await b.coordinator.delete("g") is OK
            log = b.log
        async with bench(log) as b:
            assert b.coordinator.groups == {}

    run(body)


def test_group_keeps_its_new_kind_after_a_restart() -> None:
    """Both ways; the offsets stay with the id."""

    async def body() -> None:
        async with bench() as b:
            await b.coordinator.commit("g", {("t", 0): b.offset(1)})
            await beat(b)
            assert b.coordinator.type_of("g") == "consumer"
            log = b.log
        async with bench(log) as b:
            assert b.coordinator.type_of("g") == "consumer"
            await beat(b, member_epoch=-1)
            await b.stable()
        async with bench(log) as b:
            assert b.coordinator.type_of("g") == "classic"
            assert b.coordinator.offsets.get("g", ("t", 0)) is not None

    run(body)


def test_offsets_of_topics_that_are_read_do_not_age() -> None:
    """Others do from their commit on; when nothing is left, an empty group goes, too."""

    async def body() -> None:
        async with bench(offsets_retention_check_ms=1_000) as b:
            await beat(b)
            await b.coordinator.commit("g", {("t", 0): b.offset(1), ("other", 0): b.offset(1)})
            for _ in range(8):
                for _ in range(3):
                    b.clock.now_ms += DAY_MS // 3
                    assert (await beat(b, member_epoch=2)).error is OK
                b.coordinator.expire()
            assert list(b.coordinator.offsets.of_group("g")) == [("t", 0)]
            await beat(b, member_epoch=-1)
            b.coordinator.expire()
            assert b.coordinator.groups == {}

    run(body)


def test_refused_join_leaves_no_group() -> None:
    async def body() -> None:
        async with bench() as b:
            assert (await beat(b, **{**JOIN, "assignor": "sticky"})).error is ErrorCode.unsupported_assignor
            assert (await beat(b, member_epoch=3)).error is ErrorCode.group_id_not_found
            assert b.coordinator.groups == {}

    run(body)


def test_classic_groups_do_not_load_the_other_kind() -> None:
    async def body() -> None:
        async with bench() as b:
            await b.stable()
            assert b.coordinator.loaded_consumer is None

    run(body)


def test_intervals_grow_with_the_number_of_members() -> None:
    """A few are asked for every half second; many as seldom as is configured."""

    async def body() -> None:
        async with bench() as b:
            b.coordinator.topics.make("t", 1)  # pyright: ignore[reportAttributeAccessIssue]
            assert (await beat(b)).heartbeat_interval_ms == 500
            for number in range(200):
                await beat(b, f"m{number}", group_id=f"g{number}", **JOIN)
            assert (await beat(b, member_epoch=2)).heartbeat_interval_ms == 5_000
            group = b.coordinator.groups["g"]
            assert isinstance(group, ConsumerGroup)

    run(body)


def test_member_that_waits_is_asked_to_come_back_soon() -> None:
    async def body() -> None:
        async with bench() as b:
            b.coordinator.topics.make("t", 2)  # pyright: ignore[reportAttributeAccessIssue]
            await beat(b)
            assert (await beat(b, "b")).heartbeat_interval_ms == 100

    run(body)
