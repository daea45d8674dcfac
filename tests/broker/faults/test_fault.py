"""What makes a fault, and which requests meet it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from kio.index import load_request_schema

from broker.faults import Fault, FaultError, FaultPlan
from broker.protocol.api_keys import ApiKey

ID = UUID(int=7)


class Topics:
    """Knows one topic by its id."""

    def by_id(self, topic_id: UUID) -> Any:
        return SimpleNamespace(name="orders") if topic_id == ID else None


def heartbeat(group: str) -> Any:
    return load_request_schema(ApiKey.HEARTBEAT, 4)(group_id=group, generation_id=1, member_id="m")


def strike(plan: FaultPlan, key: ApiKey = ApiKey.HEARTBEAT, client: str = "c", request: Any = None) -> Fault | None:
    return plan.strike(key, client, lambda: request, Topics())  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("EndTxn:delay=500,times=3", Fault(api="EndTxn", action="delay", delay_ms=500, times=3)),
        ("end_txn:close,after", Fault(api="EndTxn", action="close", after=True)),
        (
            "Heartbeat:error=not_coordinator,group=orders",
            Fault(api="Heartbeat", action="error", error="NOT_COORDINATOR", group="orders"),
        ),
        ("*:drop,probability=0.01,seed=7", Fault(api="*", action="drop", probability=0.01, seed=7)),
        ("Produce:drop, topic=orders", Fault(api="Produce", action="drop", topic="orders")),
    ],
)
def test_fault_as_text_is_the_fault(text: str, fault: Fault) -> None:
    assert Fault.parse(text) == fault


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("EndTx:close", "there is no API 'EndTx'; did you mean 'EndTxn'?"),
        ("EndTxn:error=NOT_CORDINATOR", "did you mean 'NOT_COORDINATOR'?"),
        ("EndTxn:explode", "expected API:ACTION"),
        ("EndTxn", "expected API:ACTION"),
        ("EndTxn:close,tims=3", "there is no 'tims=3'; did you mean 'times'?"),
        ("EndTxn:close,times=x", "'x' is no value of times"),
        ("EndTxn:close,times=0", "times is 0"),
        ("EndTxn:delay", "a delay of 0 ms is none"),
        ("EndTxn:error", "has an error code"),
        ("EndTxn:close,error=NOT_COORDINATOR", "has an error code"),
        ("EndTxn:close,probability=2", "more than 0 and at most 1"),
    ],
)
def test_text_that_is_no_fault_is_refused_with_the_reason(text: str, problem: str) -> None:
    with pytest.raises(FaultError) as raised:
        Fault.parse(text)
    assert problem in str(raised.value)
    assert str(raised.value).startswith(f"fault {text!r}")


def test_fault_with_times_strikes_so_often_and_is_used_up() -> None:
    plan = FaultPlan()
    plan.add(Fault(api="Heartbeat", action="close", times=2))
    assert [strike(plan) is not None for _ in range(3)] == [True, True, False]
    assert not plan.active
    assert next(iter(plan)).hits == 2


def test_first_fault_that_fits_strikes() -> None:
    plan = FaultPlan()
    other = plan.add(Fault(api="Fetch", action="close"))
    first = plan.add(Fault(api="*", action="drop"))
    plan.add(Fault(api="Heartbeat", action="close"))
    assert strike(plan) == Fault(api="*", action="drop")
    plan.remove(first)
    plan.remove(other)
    assert strike(plan) == Fault(api="Heartbeat", action="close")
    plan.clear()
    assert strike(plan) is None


def test_fault_of_a_client_a_group_or_a_topic_strikes_no_other() -> None:
    plan = FaultPlan()
    plan.add(Fault(api="*", action="drop", client_id="c"))
    assert strike(plan, client="d") is None
    assert strike(plan, client="c") is not None
    plan.clear()
    plan.add(Fault(api="*", action="drop", group="g"))
    assert strike(plan, request=heartbeat("h")) is None
    assert strike(plan, request=heartbeat("g")) is not None


@pytest.mark.parametrize("version", [12, 13])
def test_fault_of_a_topic_sees_names_and_ids(version: int) -> None:
    schema = load_request_schema(ApiKey.PRODUCE, version)
    module = __import__(schema.__module__, fromlist=["TopicProduceData"])
    names = ({"topic_id": ID}, {"topic_id": UUID(int=8)}) if version == 13 else ({"name": "orders"}, {"name": "x"})
    plan = FaultPlan()
    plan.add(Fault(api="Produce", action="drop", topic="orders"))
    met = [
        strike(plan, ApiKey.PRODUCE, request=schema(acks=1, timeout=None, topic_data=(
            module.TopicProduceData(**name, partition_data=()),
        )))
        for name in names
    ]  # fmt: skip
    assert [fault is not None for fault in met] == [True, False]


def test_probability_with_equal_seeds_strikes_alike() -> None:
    drawn: list[list[bool]] = []
    for seed in (1, 1, 2):
        plan = FaultPlan()
        plan.add(Fault(api="*", action="drop", probability=0.5, seed=seed))
        drawn.append([strike(plan) is not None for _ in range(200)])
    assert drawn[0] == drawn[1] != drawn[2]
    assert 60 < sum(drawn[0]) < 140
