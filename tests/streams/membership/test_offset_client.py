"""Commits and reads of offsets when the coordinator is in trouble."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from kio.schema.errors import ErrorCode

from streams.runtime.membership import CommitFailedError, CommittedOffset, MemberOptions
from streams.runtime.membership.identity import Identity
from streams.runtime.membership.offset_client import OffsetClient
from streams.runtime.membership.standing import Standing
from streams.wire import Client
from tests.streams.wire.server import Answer, ScriptedServer, versions

PLACE = ("in", 0)
OFFSET = {PLACE: CommittedOffset(5)}
OPTIONS = MemberOptions(group_id="g", topics=("in",), request_timeout_ms=2_000)
MEMBER = Identity("m", 3, 0, settled=True)
HANG_UP = None


class Coordinator:
    """Answers commits and reads with the scripted codes, one after the other; the last one stays."""

    def __init__(self, *script: ErrorCode | None) -> None:
        self.script = list(script)
        self.commits: list[Any] = []
        self.fetches = 0

    def code(self) -> ErrorCode | None:
        return self.script.pop(0) if len(self.script) > 1 else self.script[0]

    def commit(self, request: Any, version: int) -> dict[str, Any] | None:
        del version
        self.commits.append(request)
        code = self.code()
        if code is HANG_UP:
            return None
        partitions = ({"partition_index": 0, "error_code": code},)
        return {"topics": ({"name": "in", "partitions": partitions},), "throttle_time": timedelta(0)}

    def fetch(self, request: Any, version: int) -> dict[str, Any] | None:
        del request, version
        self.fetches += 1
        code = self.code()
        if code is HANG_UP:
            return None
        partition = {
            "partition_index": 0,
            "committed_offset": 9,
            "committed_leader_epoch": -1,
            "metadata": "",
            "error_code": code,
        }
        group = {"group_id": "g", "topics": ({"name": "in", "partitions": (partition,)},), "error_code": ErrorCode.none}
        return {**group, "groups": (group,), "throttle_time": timedelta(0)}


class Place:
    """An offset client against a scripted coordinator."""

    def __init__(self, server: ScriptedServer, coordinator: Coordinator, timeout_s: float) -> None:
        self.coordinator = coordinator
        self.standing = Standing()
        self.standing.change(MEMBER)
        self.doubts = 0
        self.pauses: list[float] = []
        self.on_doubt: Callable[[], None] = lambda: None
        self.offsets = OffsetClient(
            Client(bootstrap=(server.address,), client_id="test"),
            OPTIONS,
            self.standing,
            doubt=self.doubt,
            timeout_s=timeout_s,
            pause=self.pauses.append,
        )

    def doubt(self) -> None:
        self.doubts += 1
        self.on_doubt()


@contextmanager
def place(*script: ErrorCode | None, timeout_s: float = 10.0) -> Iterator[Place]:
    coordinator = Coordinator(*script)

    def found(request: Any, version: int) -> dict[str, Any]:
        del request, version
        where = {"node_id": 1, "host": "127.0.0.1", "port": server.address.port, "error_code": ErrorCode.none}
        entry = {"key": "g", "error_message": None, **where}
        return {**entry, "coordinators": (entry,), "throttle_time": timedelta(0)}

    answers: dict[int, Answer] = {
        18: versions(k8=(2, 9), k9=(1, 9), k10=(0, 6)),
        10: found,
        8: coordinator.commit,
        9: coordinator.fetch,
    }
    with ScriptedServer(answers) as server:
        made = Place(server, coordinator, timeout_s)
        yield made
        made.offsets.close()


@pytest.mark.parametrize(
    "trouble",
    [
        ErrorCode.coordinator_load_in_progress,
        ErrorCode.coordinator_not_available,
        ErrorCode.not_coordinator,
        ErrorCode.request_timed_out,
        HANG_UP,
    ],
)
def test_commit_trouble_that_passes_is_waited_out(trouble: ErrorCode | None) -> None:
    with place(trouble, trouble, ErrorCode.none) as p:
        p.offsets.commit(OFFSET, admission=0)
        assert len(p.coordinator.commits) == 3
        assert p.pauses == [0.02, 0.04]


def test_commit_during_a_rebalance_is_repeated_under_the_next_generation() -> None:
    with place(ErrorCode.rebalance_in_progress, ErrorCode.illegal_generation, ErrorCode.none) as p:
        generations = iter([Identity("m", 4, 0, settled=False), Identity("m", 4, 0, settled=True)])
        p.on_doubt = lambda: p.standing.change(next(generations))
        p.offsets.commit(OFFSET, admission=0)
        assert [commit.generation_id_or_member_epoch for commit in p.coordinator.commits] == [3, 4, 4]


def test_commit_waits_for_the_member_to_settle() -> None:
    with place(ErrorCode.rebalance_in_progress, ErrorCode.none) as p:
        doubted = threading.Event()
        p.on_doubt = doubted.set
        thread = threading.Thread(target=p.offsets.commit, args=(OFFSET,), kwargs={"admission": 0})
        thread.start()
        assert doubted.wait(5)
        assert len(p.coordinator.commits) == 1
        p.standing.change(Identity("m", 4, 0, settled=True))
        thread.join(5)
        assert len(p.coordinator.commits) == 2


def test_commit_tasks_lost_during_the_rebalance_is_fenced() -> None:
    with place(ErrorCode.illegal_generation) as p:
        p.on_doubt = lambda: p.standing.change(Identity("m", 5, 1, settled=True))
        with pytest.raises(CommitFailedError) as caught:
            p.offsets.commit(OFFSET, admission=0)
        assert caught.value.fenced
        assert len(p.coordinator.commits) == 1


@pytest.mark.parametrize("code", [ErrorCode.unknown_member_id, ErrorCode.fenced_instance_id])
def test_commit_of_a_stranger_is_fenced_and_doubted(code: ErrorCode) -> None:
    with place(code) as p:
        with pytest.raises(CommitFailedError) as caught:
            p.offsets.commit(OFFSET, admission=0)
        assert caught.value.fenced
        assert not caught.value.retriable
        assert p.doubts == 1


def test_commit_metadata_too_large_names_the_partition_and_is_final() -> None:
    with place(ErrorCode.offset_metadata_too_large) as p:
        with pytest.raises(CommitFailedError, match=r"in\[0\]: OFFSET_METADATA_TOO_LARGE") as caught:
            p.offsets.commit(OFFSET, admission=0)
        assert not caught.value.fenced
        assert not caught.value.retriable


@pytest.mark.parametrize("trouble", [ErrorCode.not_coordinator, ErrorCode.rebalance_in_progress, HANG_UP])
def test_commit_trouble_that_stays_gives_up_retriably(trouble: ErrorCode | None) -> None:
    with place(trouble, timeout_s=0.1) as p:
        with pytest.raises(CommitFailedError, match=r"gave up after 0\.1 s") as caught:
            p.offsets.commit(OFFSET, admission=0)
        assert caught.value.retriable


def test_commit_partitions_that_failed_are_sent_again_alone() -> None:
    """An answer that leaves a partition out has not committed it either."""
    with place(ErrorCode.none) as p, pytest.raises(CommitFailedError, match=r"in\[1\]"):
        p.offsets.commit({**OFFSET, ("in", 1): CommittedOffset(6)}, admission=0)


def test_committed_waits_for_an_open_transaction() -> None:
    with place(ErrorCode.unstable_offset_commit, ErrorCode.unstable_offset_commit, ErrorCode.none) as p:
        assert p.offsets.committed([PLACE]) == {PLACE: CommittedOffset(9)}
        assert p.coordinator.fetches == 3


def test_committed_transaction_that_stays_open_gives_up_retriably() -> None:
    with place(ErrorCode.unstable_offset_commit, timeout_s=0.05) as p:
        with pytest.raises(CommitFailedError, match=r"in\[0\]: UNSTABLE_OFFSET_COMMIT") as caught:
            p.offsets.committed([PLACE])
        assert caught.value.retriable


def test_committed_of_nothing_asks_nobody() -> None:
    with place(ErrorCode.none) as p:
        assert p.offsets.committed([]) == {}
        assert p.coordinator.fetches == 0
