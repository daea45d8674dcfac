"""The order of a transactional commit, and what an aborted one leaves behind."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from streams.runtime.exactly_once import ExactlyOnce
from streams.runtime.membership import CommittedOffset
from streams.runtime.transactional_producer import TransactionAbortedError
from tests.streams.runtime.test_commit import COUNTS, Committing, Script

MEMBER = b"the member and its generation"


class TransactionalScript(Script):
    """The same with a transactional producer: `did` shows each transaction as one step."""

    pending = False

    def send(self, topic: str, value: bytes | None, key: bytes | None, partition: int, timestamp: int) -> None:
        self.pending = True
        super().send(topic, value, key, partition, timestamp)

    def group_metadata(self) -> bytes:
        return MEMBER

    def start_over(self, *, give_up: Any) -> None:
        self.do("start over")

    def commit(
        self,
        offsets: Mapping[tuple[str, int], CommittedOffset],
        group_metadata: bytes = b"",
        *,
        give_up: Any = None,
    ) -> None:
        assert group_metadata == MEMBER
        self.do("transaction")
        self.offsets.update(offsets)
        self.pending = False


class CommittingExactlyOnce(Committing):
    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.task.close()
        self.script = TransactionalScript()
        self.committer = self.under(ExactlyOnce)
        self.task = self.open()


@pytest.fixture
def committing(tmp_path: Path) -> Iterator[CommittingExactlyOnce]:
    committing = CommittingExactlyOnce(tmp_path / "0_0")
    yield committing
    committing.task.close()
    committing.waiting.close()


def test_transaction_goes_changelog_transaction_with_offsets_state(committing: CommittingExactlyOnce) -> None:
    committing.process("a", "b", "a")
    assert committing.commit()
    assert committing.script.did == [*["output out"] * 3, *[f"changelog {COUNTS}"] * 2, "transaction", "state"]
    assert committing.script.offsets["in", 0].offset == 3


def test_transaction_with_nothing_in_it_is_not_committed(committing: CommittingExactlyOnce) -> None:
    assert not committing.commit()
    assert committing.script.did == []


def test_transaction_with_watermarks_only_is_committed(committing: CommittingExactlyOnce) -> None:
    """The broker has it open, and would abort it in the end."""
    committing.script.send("repartition", None, None, 0, 0)
    assert not committing.commit()
    assert committing.script.did == ["changelog repartition", "transaction"]


def test_transaction_aborted_leaves_the_state_as_it_was_committed(committing: CommittingExactlyOnce) -> None:
    committing.process("a")
    committing.commit()
    committing.process("a", "b", first=1)
    committing.script.failures["transaction"] = TransactionAbortedError("no")
    with pytest.raises(TransactionAbortedError):
        committing.commit()
    assert list(committing.counts().values()) == [1]
    committing.task.close()
    committing.task = committing.open()
    assert committing.task.inputs.buffers[0].position() == 1
    committing.process("a", "b", first=1)
    assert committing.commit()
    assert sorted(committing.counts().values()) == [1, 2]


def test_transaction_closing_a_task_records_exact_positions(committing: CommittingExactlyOnce) -> None:
    committing.process("a", "b", "c")
    committing.ends.end = 4  # three rows and the transaction's marker
    committing.commit(closing=True)
    committing.task.close()
    committing.task = committing.open()
    assert committing.task.state.positions["counts"] == 4


def test_abandoned_work_starts_a_new_transaction(committing: CommittingExactlyOnce) -> None:
    committing.process("a")
    committing.committer.abandon(give_up=lambda: False)
    assert committing.script.did[-1] == "start over"
