"""The pure functions over a transactional id: who may do what, and what comes of it."""

from __future__ import annotations

from dataclasses import replace
from itertools import count

import pytest
from kio.schema.errors import ErrorCode

from broker.journal.entry import ProducerIdentity
from broker.transactions.ending import complete, decide, decide_and_bump, fence
from broker.transactions.enlist import enlist
from broker.transactions.expiry import deadline_ms, expired, timed_out
from broker.transactions.initialise import begin, initialise
from broker.transactions.state import TransactionState
from broker.transactions.transaction import LAST_EPOCH, V1, V2, Transaction

S = TransactionState
P = ("t", 0)
NOW = 5_000


def transaction(state: TransactionState, epoch: int = 3, **fields: object) -> Transaction:
    values = {"partitions": frozenset((P,)) if state in (S.ONGOING, S.PREPARE_COMMIT, S.PREPARE_ABORT) else frozenset()}
    base = Transaction(
        transactional_id="tx", producer_id=7, epoch=epoch, timeout_ms=1_000, state=state, started_ms=4_000,
        updated_ms=4_000,
    )  # fmt: skip
    return replace(base, **{**values, **fields})  # type: ignore[arg-type]


def new_id() -> int:
    return 8


def told(outcome: Transaction | ErrorCode) -> object:
    """The error, or state, producer id and epoch."""
    return outcome if isinstance(outcome, ErrorCode) else (outcome.state, outcome.producer_id, outcome.epoch)


# -- InitProducerId ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("state", [S.EMPTY, S.COMPLETE_COMMIT, S.COMPLETE_ABORT])
def test_initialise_at_rest_raises_the_epoch(state: TransactionState) -> None:
    following = initialise(transaction(state, last_epoch=2), 9_000, None, new_id, NOW)
    assert isinstance(following, Transaction)
    assert told(following) == (S.EMPTY, 7, 4)
    assert (following.timeout_ms, following.updated_ms, following.last_epoch) == (9_000, NOW, -1)


def test_initialise_of_an_open_transaction_aborts_it_under_a_higher_epoch() -> None:
    following = initialise(transaction(S.ONGOING), 9_000, None, new_id, NOW)
    assert isinstance(following, Transaction)
    assert told(following) == (S.PREPARE_ABORT, 7, 4)
    assert following.partitions == {P}


@pytest.mark.parametrize("state", [S.PREPARE_COMMIT, S.PREPARE_ABORT])
def test_initialise_of_a_decided_transaction_has_to_wait(state: TransactionState) -> None:
    assert initialise(transaction(state), 9_000, None, new_id, NOW) is ErrorCode.concurrent_transactions


@pytest.mark.parametrize(
    ("claimed", "outcome"),
    [
        ((7, 3), (S.EMPTY, 7, 4)),  # the owner
        ((7, 2), (S.EMPTY, 7, 3)),  # the owner before its bump, whose answer was lost
        ((7, 1), ErrorCode.producer_fenced),
        ((7, 4), ErrorCode.producer_fenced),
        ((6, 3), ErrorCode.producer_fenced),
    ],
)
def test_initialise_by_a_producer_that_was_here_before_checks_who_it_is(
    claimed: tuple[int, int], outcome: object
) -> None:
    """KIP-360."""
    current = transaction(S.COMPLETE_ABORT, last_epoch=2)
    assert told(initialise(current, 9_000, ProducerIdentity(*claimed), new_id, NOW)) == outcome


def test_initialise_by_the_owner_of_an_open_transaction_aborts_and_gives_the_next_epoch() -> None:
    """A zombie that asks the same aborts nothing."""
    current = transaction(S.ONGOING)
    owner = ProducerIdentity(7, 3)
    aborted = initialise(current, 9_000, owner, new_id, NOW)
    assert isinstance(aborted, Transaction)
    assert told(initialise(complete(aborted, NOW), 9_000, owner, new_id, NOW)) == (S.EMPTY, 7, 4)
    assert initialise(current, 9_000, ProducerIdentity(7, 2), new_id, NOW) is ErrorCode.producer_fenced


@pytest.mark.parametrize("claimed", [None, ProducerIdentity(7, LAST_EPOCH)])
def test_initialise_at_the_last_epoch_gives_a_new_id(claimed: ProducerIdentity | None) -> None:
    following = initialise(transaction(S.EMPTY, LAST_EPOCH), 9_000, claimed, new_id, NOW)
    assert isinstance(following, Transaction)
    assert told(following) == (S.EMPTY, 8, 0)
    assert following.previous_producer_id == 7
    if claimed is not None:
        assert told(initialise(following, 9_000, claimed, new_id, NOW)) == (S.EMPTY, 8, 0), "the answer was lost"


def test_initialise_after_the_fence_at_the_last_epoch_gives_a_new_id() -> None:
    """32,767 is never told to anybody."""
    owner = ProducerIdentity(7, LAST_EPOCH)
    for claimed in (None, owner):
        aborted = initialise(transaction(S.ONGOING, LAST_EPOCH), 9_000, claimed, new_id, NOW)
        assert isinstance(aborted, Transaction)
        assert aborted.epoch == 32_767
        assert told(initialise(complete(aborted, NOW), 9_000, claimed, new_id, NOW)) == (S.EMPTY, 8, 0)


# -- partitions --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("state", [S.EMPTY, S.COMPLETE_COMMIT, S.COMPLETE_ABORT])
def test_enlist_at_rest_begins_a_transaction(state: TransactionState) -> None:
    following = enlist(transaction(state), ProducerIdentity(7, 3), {P}, V1, NOW)
    assert isinstance(following, Transaction)
    assert (following.state, following.partitions, following.started_ms) == (S.ONGOING, {P}, NOW)


def test_enlist_in_an_open_transaction_adds_and_keeps_its_start() -> None:
    current = transaction(S.ONGOING)
    assert enlist(current, ProducerIdentity(7, 3), {P}, V1, NOW) is current
    following = enlist(current, ProducerIdentity(7, 3), {("t", 1)}, V1, NOW)
    assert isinstance(following, Transaction)
    assert (following.partitions, following.started_ms) == ({P, ("t", 1)}, 4_000)


@pytest.mark.parametrize(
    ("state", "who", "code"),
    [
        (S.ONGOING, (7, 2), ErrorCode.producer_fenced),
        (S.ONGOING, (7, 4), ErrorCode.producer_fenced),
        (S.ONGOING, (6, 3), ErrorCode.invalid_producer_id_mapping),
        (S.PREPARE_COMMIT, (7, 3), ErrorCode.concurrent_transactions),
        (S.PREPARE_ABORT, (7, 3), ErrorCode.concurrent_transactions),
    ],
)
def test_enlist_by_others_or_too_late_is_refused(
    state: TransactionState, who: tuple[int, int], code: ErrorCode
) -> None:
    assert enlist(transaction(state), ProducerIdentity(*who), {P}, V1, NOW) is code


@pytest.mark.parametrize(
    ("state", "who", "at", "code"),
    [
        (S.ONGOING, (7, 3), P, ErrorCode.none),
        (S.ONGOING, (7, 3), ("t", 1), ErrorCode.transaction_abortable),
        (S.ONGOING, (7, 2), P, ErrorCode.producer_fenced),
        (S.ONGOING, (6, 3), P, ErrorCode.invalid_producer_id_mapping),
        (S.PREPARE_COMMIT, (7, 3), P, ErrorCode.concurrent_transactions),
        (S.EMPTY, (7, 3), P, ErrorCode.transaction_abortable),
        (S.COMPLETE_COMMIT, (7, 3), P, ErrorCode.transaction_abortable),
    ],
)
def test_write_needs_an_open_transaction_that_includes_the_partition(
    state: TransactionState, who: tuple[int, int], at: tuple[str, int], code: ErrorCode
) -> None:
    assert transaction(state).check_write(ProducerIdentity(*who), at) is code


# -- EndTxn ------------------------------------------------------------------------------------------------------------
PREPARED = {True: (S.PREPARE_COMMIT, 7, 3), False: (S.PREPARE_ABORT, 7, 3)}
REST = {True: (S.COMPLETE_COMMIT, 7, 3), False: (S.COMPLETE_ABORT, 7, 3)}


@pytest.mark.parametrize("commit", [True, False])
def test_end_of_an_open_transaction_decides_and_completes(commit: bool) -> None:
    following = decide(transaction(S.ONGOING), ProducerIdentity(7, 3), commit=commit, now_ms=NOW)
    assert isinstance(following, Transaction)
    assert told(following) == PREPARED[commit]
    done = complete(following, NOW)
    assert told(done) == REST[commit]
    assert done.partitions == frozenset()
    assert decide(done, ProducerIdentity(7, 3), commit=commit, now_ms=NOW) is done, "the same end again"
    assert decide(done, ProducerIdentity(7, 3), commit=not commit, now_ms=NOW) is ErrorCode.invalid_txn_state


@pytest.mark.parametrize(
    ("state", "who", "code"),
    [
        (S.EMPTY, (7, 3), ErrorCode.invalid_txn_state),
        (S.ONGOING, (7, 2), ErrorCode.producer_fenced),
        (S.ONGOING, (6, 3), ErrorCode.invalid_producer_id_mapping),
        (S.PREPARE_COMMIT, (7, 3), ErrorCode.concurrent_transactions),
        (S.PREPARE_ABORT, (7, 3), ErrorCode.invalid_txn_state),
    ],
)
def test_end_of_what_is_not_open_is_refused(state: TransactionState, who: tuple[int, int], code: ErrorCode) -> None:
    assert decide(transaction(state), ProducerIdentity(*who), commit=True, now_ms=NOW) is code


@pytest.mark.parametrize("commit", [True, False])
def test_end_v2_raises_the_epoch_and_knows_its_retry(commit: bool) -> None:
    """KIP-890: the producer goes on with the next epoch; the same end again comes with the old one."""
    who = ProducerIdentity(7, 3)
    following = decide_and_bump(transaction(S.ONGOING), who, new_id, commit=commit, now_ms=NOW)
    assert isinstance(following, Transaction)
    assert (following.epoch, following.commits) == (4, commit)
    done = complete(following, NOW)
    assert decide_and_bump(done, who, new_id, commit=commit, now_ms=NOW) is done
    assert decide_and_bump(done, who, new_id, commit=not commit, now_ms=NOW) is ErrorCode.invalid_txn_state
    begun = enlist(done, done.producer, {P}, V2, NOW)
    assert isinstance(begun, Transaction)
    assert decide_and_bump(begun, who, new_id, commit=commit, now_ms=NOW) is ErrorCode.producer_fenced


@pytest.mark.parametrize("state", [S.EMPTY, S.COMPLETE_COMMIT, S.COMPLETE_ABORT])
def test_end_v2_without_a_transaction_may_abort_but_not_commit(state: TransactionState) -> None:
    current, who = transaction(state, client_version=V2), ProducerIdentity(7, 3)
    aborted = decide_and_bump(current, who, new_id, commit=False, now_ms=NOW)
    assert told(aborted) == (S.PREPARE_ABORT, 7, 4)
    assert decide_and_bump(current, who, new_id, commit=True, now_ms=NOW) is ErrorCode.invalid_txn_state


def test_end_v2_at_the_last_epoch_goes_on_with_a_new_id() -> None:
    who = ProducerIdentity(7, LAST_EPOCH)
    current = transaction(S.ONGOING, LAST_EPOCH, client_version=V2)
    following = decide_and_bump(current, who, new_id, commit=True, now_ms=NOW)
    assert isinstance(following, Transaction)
    assert following.producer == (7, 32_767), "the markers fence everything of the old id"
    done = complete(following, NOW)
    assert done.producer == (8, 0)
    assert decide_and_bump(done, who, new_id, commit=True, now_ms=NOW) is done


# -- time --------------------------------------------------------------------------------------------------------------
def test_only_an_open_transaction_times_out() -> None:
    assert deadline_ms(transaction(S.ONGOING)) == 5_000
    assert timed_out(transaction(S.ONGOING), 5_000)
    assert not timed_out(transaction(S.ONGOING), 4_999)
    assert deadline_ms(transaction(S.PREPARE_ABORT)) is None
    fenced = fence(transaction(S.ONGOING, last_epoch=2), NOW)
    assert (fenced.epoch, fenced.last_epoch, fenced.state) == (4, -1, S.PREPARE_ABORT)


def test_only_an_id_at_rest_expires() -> None:
    for state in S:
        at_rest = state in (S.EMPTY, S.COMPLETE_COMMIT, S.COMPLETE_ABORT)
        assert expired(transaction(state), 100, 4_100) is at_rest
        assert not expired(transaction(state), 100, 4_099)


def test_begin_of_an_unknown_id_starts_at_epoch_zero() -> None:
    ids = count(5)
    assert told(begin("tx", 1_000, next(ids), NOW)) == (S.EMPTY, 5, 0)
