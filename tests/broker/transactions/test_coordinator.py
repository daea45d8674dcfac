"""The coordinator around the steps: order, durability, failing storage, time, restart."""

from __future__ import annotations

import asyncio

import pytest
from kio.schema.errors import ErrorCode

from broker.journal.entry import ProducerIdentity
from broker.transactions import record
from broker.transactions.state import TransactionState
from tests.broker.transactions.bench import Bench, run

S = TransactionState
A, B = ("t", 0), ("t", 1)
FULL = OSError(28, "No space left on device")


def states(bench: Bench) -> list[TransactionState]:
    """The states in the order in which they were journaled."""
    return [record.decode("", value).state for batch in bench.log.batches for _, value in batch if value is not None]


def test_commit_is_journaled_before_the_markers_and_answered_after_them() -> None:
    async def work(bench: Bench) -> None:
        who = await bench.begin("tx", A, B)
        assert await bench.coordinator.end("tx", who, commit=True) == who
        await bench.coordinator.journal.close()
        assert states(bench) == [S.EMPTY, S.ONGOING, S.PREPARE_COMMIT, S.COMPLETE_COMMIT]
        assert bench.partitions.ends == [(A, who, True), (B, who, True)]
        assert await bench.coordinator.end("tx", who, commit=True) == who
        assert len(bench.partitions.ends) == 2, "a retry writes nothing"

    run(work)


def test_second_producer_fences_the_first_and_aborts_its_transaction() -> None:
    """Inline: the second is not sent away with CONCURRENT_TRANSACTIONS."""

    async def work(bench: Bench) -> None:
        first = await bench.begin("tx", A)
        second = await bench.coordinator.initialise("tx", 60_000)
        assert isinstance(second, ProducerIdentity)
        assert second.producer_id == first.producer_id
        assert second.epoch > first.epoch
        ((at, marker, committed),) = bench.partitions.ends
        assert (at, committed) == (A, False)
        assert first.epoch < marker.epoch < second.epoch
        assert await bench.coordinator.end("tx", first, commit=True) is ErrorCode.producer_fenced
        assert await bench.coordinator.enlist("tx", first, {A}) is ErrorCode.producer_fenced
        assert bench.coordinator.check_write("tx", first, A) is ErrorCode.producer_fenced
        assert await bench.coordinator.enlist("tx", second, {A}) is ErrorCode.none

    run(work)


def test_requests_for_one_id_wait_for_each_other() -> None:
    """Whatever comes while another step is being written gets its turn behind it, none is refused."""

    async def work(bench: Bench) -> None:
        who = await bench.begin("tx", A)
        bench.log.open.clear()
        ending = asyncio.ensure_future(bench.coordinator.end("tx", who, commit=True))
        await asyncio.sleep(0)
        following = asyncio.ensure_future(bench.coordinator.enlist("tx", who, {B}))
        successor = asyncio.ensure_future(bench.coordinator.initialise("tx", 60_000))
        bench.log.open.set()
        assert await ending == who
        assert await following is ErrorCode.none
        taken = await successor
        assert isinstance(taken, ProducerIdentity)
        assert [(at, commit) for at, _, commit in bench.partitions.ends] == [(A, True), (B, False)]

    run(work)


def test_step_goes_on_when_its_client_is_gone() -> None:
    async def work(bench: Bench) -> None:
        who = await bench.begin("tx", A)
        bench.log.open.clear()
        ending = asyncio.ensure_future(bench.coordinator.end("tx", who, commit=True))
        await asyncio.sleep(0)
        ending.cancel()
        bench.log.open.set()
        assert await bench.coordinator.end("tx", who, commit=True) == who
        assert bench.partitions.ends == [(A, who, True)]

    run(work)


def test_storage_failure_leaves_the_transaction_as_it_was() -> None:
    async def work(bench: Bench) -> None:
        who = await bench.begin("tx", A)
        bench.log.fault = FULL
        coordinator = bench.coordinator
        assert await coordinator.end("tx", who, commit=True) is ErrorCode.coordinator_not_available
        assert await coordinator.enlist("tx", who, {B}) is ErrorCode.coordinator_not_available
        assert await coordinator.initialise("tx", 60_000) is ErrorCode.coordinator_not_available
        assert await coordinator.initialise("other", 60_000) is ErrorCode.coordinator_not_available
        assert bench.partitions.ends == []
        bench.log.fault = None
        assert await coordinator.end("tx", who, commit=True) == who
        assert bench.partitions.ends == [(A, who, True)]

    run(work)


def test_markers_that_could_not_be_written_are_tried_again() -> None:
    """The decision stands; everybody has to wait for it, and it is completed without being asked for."""

    async def work(bench: Bench) -> None:
        who = await bench.begin("tx", A, B)
        bench.partitions.broken = {B}
        assert await bench.coordinator.end("tx", who, commit=True) is ErrorCode.concurrent_transactions
        assert await bench.coordinator.end("tx", who, commit=False) is ErrorCode.invalid_txn_state
        assert await bench.coordinator.enlist("tx", who, {A}) is ErrorCode.concurrent_transactions
        assert await bench.coordinator.initialise("tx", 60_000) is ErrorCode.concurrent_transactions
        bench.partitions.broken = set()
        await bench.advance(bench.settings.retry_ms)
        assert bench.coordinator.transactions["tx"].state is S.COMPLETE_COMMIT
        assert await bench.coordinator.end("tx", who, commit=True) == who
        assert {commit for _, _, commit in bench.partitions.ends} == {True}

    run(work)


def test_transaction_that_is_open_for_too_long_is_aborted_and_fenced() -> None:
    async def work(bench: Bench) -> None:
        who = await bench.begin("tx", A)
        await bench.advance(59_999)
        assert bench.partitions.ends == []
        await bench.advance(1)
        assert bench.partitions.ends == [(A, ProducerIdentity(who.producer_id, who.epoch + 1), False)]
        assert await bench.coordinator.end("tx", who, commit=True) is ErrorCode.producer_fenced

    run(work)


def test_timeout_counts_from_the_begin_of_each_transaction() -> None:
    async def work(bench: Bench) -> None:
        who = await bench.begin("tx", A)
        await bench.advance(50_000)
        await bench.coordinator.end("tx", who, commit=True)
        await bench.coordinator.enlist("tx", who, {A})
        await bench.advance(50_000)
        assert await bench.coordinator.end("tx", who, commit=True) == who

    run(work)


def test_transactional_id_that_nobody_uses_is_forgotten() -> None:
    async def work(bench: Bench) -> None:
        who = await bench.begin("tx", A)
        await bench.coordinator.end("tx", who, commit=True)
        await bench.begin("open", A)
        await bench.advance(10_000)
        assert set(bench.coordinator.transactions) == {"open"}
        await bench.restart()
        assert set(bench.coordinator.transactions) == {"open"}
        assert await bench.coordinator.enlist("tx", who, {A}) is ErrorCode.invalid_producer_id_mapping
        again = await bench.coordinator.initialise("tx", 60_000, who)
        assert isinstance(again, ProducerIdentity)
        assert again.producer_id != who.producer_id

    run(work, id_expiration_ms=10_000, id_expiration_check_ms=10_000)


@pytest.mark.parametrize("commit", [True, False])
def test_decided_transaction_is_finished_at_the_start(commit: bool) -> None:
    """Prepare is in the log, the broker dies before any marker."""

    async def work(bench: Bench) -> None:
        who = await bench.begin("tx", A, B)
        bench.partitions.broken = {A, B}
        await bench.coordinator.end("tx", who, commit=commit)
        bench.partitions.broken = set()
        await bench.restart()
        assert bench.partitions.ends == [(A, who, commit), (B, who, commit)]
        assert await bench.coordinator.end("tx", who, commit=commit) == who
        await bench.restart()
        assert len(bench.partitions.ends) == 2

    run(work)


def test_open_transaction_goes_on_after_a_restart_until_its_time_is_over() -> None:
    async def work(bench: Bench) -> None:
        who = await bench.begin("tx", A)
        await bench.advance(40_000)
        await bench.restart()
        assert bench.coordinator.check_write("tx", who, A) is ErrorCode.none
        await bench.advance(20_000)
        assert [commit for _, _, commit in bench.partitions.ends] == [False]

    run(work)


def test_bump_can_be_asked_for_again_after_a_restart() -> None:
    """The broker dies between the bump and its answer."""

    async def work(bench: Bench) -> None:
        who = await bench.begin("tx", A)
        await bench.coordinator.end("tx", who, commit=False)
        bumped = await bench.coordinator.initialise("tx", 60_000, who)
        await bench.restart()
        assert await bench.coordinator.initialise("tx", 60_000, who) == bumped
        assert isinstance(bumped, ProducerIdentity)
        assert bumped.epoch == who.epoch + 1

    run(work)


def test_what_is_open_in_a_partition_without_the_coordinators_knowledge_is_aborted_at_the_start() -> None:
    """The loss of power may have taken the coordinator's records and left the data's."""

    async def work(bench: Bench) -> None:
        who = await bench.begin("tx", A)
        bench.partitions.abandoned = [(who.producer_id, A), (who.producer_id, B), (999, A)]
        await bench.restart()
        assert [(at, one.producer_id) for at, one, _ in bench.partitions.ends] == [(B, who.producer_id), (A, 999)]

    run(work)


@pytest.mark.parametrize(
    ("transactional_id", "timeout_ms", "code"),
    [
        ("", 1, ErrorCode.invalid_request),
        ("tx", 0, ErrorCode.invalid_transaction_timeout),
        ("tx", 900_001, ErrorCode.invalid_transaction_timeout),
    ],
)
def test_initialise_with_impossible_settings_is_refused(
    transactional_id: str, timeout_ms: int, code: ErrorCode
) -> None:
    async def work(bench: Bench) -> None:
        assert await bench.coordinator.initialise(transactional_id, timeout_ms) is code

    run(work)


def test_unknown_transactional_id_is_refused_everywhere() -> None:
    async def work(bench: Bench) -> None:
        nobody = ProducerIdentity(1, 0)
        assert await bench.coordinator.enlist("tx", nobody, {A}) is ErrorCode.invalid_producer_id_mapping
        assert await bench.coordinator.end("tx", nobody, commit=True) is ErrorCode.invalid_producer_id_mapping
        assert bench.coordinator.check_write("tx", nobody, A) is ErrorCode.invalid_producer_id_mapping

    run(work)
