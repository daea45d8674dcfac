"""Commits and reads a group's offsets on a connection of its own, from the worker's thread.

What passes by itself is retried within a time limit: a lost connection, a coordinator that moves or loads, open
transactions. A rebalance passes as well: the tasks go on, so their commit is repeated under the next generation. That
holds only as long as the member was in the group without a gap (`admission`); once it was out, the tasks may have been
somebody else's.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Collection, Mapping
from typing import TypeVar

from kio.schema.errors import ErrorCode

from streams.runtime.membership.committed_offset import CommittedOffset
from streams.runtime.membership.errors import CommitFailedError
from streams.runtime.membership.identity import Identity
from streams.runtime.membership.options import MemberOptions
from streams.runtime.membership.standing import Standing
from streams.wire.client import Client
from streams.wire.connection import Connection
from streams.wire.errors import WireError, code_name
from streams.wire.patience import Patience
from streams.wire.request import Request
from streams.wire.requests.offset_commit import OffsetCommit, OffsetToCommit
from streams.wire.requests.offset_fetch import OffsetFetch

log = logging.getLogger(__name__)

AnswerT = TypeVar("AnswerT")
Partition = tuple[str, int]

FENCED = frozenset({ErrorCode.unknown_member_id, ErrorCode.fenced_instance_id})
MOVING = frozenset({ErrorCode.rebalance_in_progress, ErrorCode.illegal_generation})


class OffsetClient:
    """`doubt` is called when the coordinator answers as if it did not know the member, so that it asks.

    `timeout_s` limits each call, retries included.
    """

    def __init__(
        self,
        client: Client,
        options: MemberOptions,
        standing: Standing,
        *,
        doubt: Callable[[], None],
        timeout_s: float,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._client = client
        self._options = options
        self._standing = standing
        self._doubt = doubt
        self._timeout_s = timeout_s
        self._clock = clock
        self._pause = pause
        self._lock = threading.Lock()
        self._connection: Connection | None = None

    def commit(self, offsets: Mapping[Partition, CommittedOffset], *, admission: int) -> None:
        """Commits on behalf of the member that was admitted to the group for the `admission`th time.

        Raises:
            CommitFailedError
        """
        patience = self._patience()
        pending: Mapping[Partition, CommittedOffset] = dict(offsets)
        while pending:
            identity = self._standing.identity
            if identity.admission != admission or not identity.member_id:
                raise fenced_out("this worker was out of the group meanwhile")
            errors = self._attempt(self._commit_request(identity, pending), patience, "commit offsets")
            if errors is None:
                continue
            # what the answer leaves out was not committed either
            answers = {partition: errors.get(partition, ErrorCode.unknown_server_error) for partition in pending}
            refused = {partition: code for partition, code in answers.items() if code != ErrorCode.none}
            pending = {partition: offsets[partition] for partition in refused}
            codes = frozenset(refused.values())
            if codes & FENCED:
                self._doubt()
                raise fenced_out(f"the coordinator answers {names(codes & FENCED)}")
            if codes & MOVING:
                self._doubt()
                self._standing.wait_for_another(identity, patience.left_s)
                self._check(patience, f"commit offsets: {names(codes)}")
            elif codes:
                self._retry_or_raise(refused, patience, "commit the offset")

    def committed(self, partitions: Collection[Partition]) -> dict[Partition, CommittedOffset | None]:
        """Raises CommitFailedError."""
        patience = self._patience()
        known: dict[Partition, CommittedOffset | None] = {}
        while missing := [partition for partition in partitions if partition not in known]:
            request = OffsetFetch(group_id=self._options.group_id, partitions=missing)
            answer = self._attempt(request, patience, "read committed offsets")
            if answer is None:
                continue
            refused: dict[Partition, ErrorCode] = {}
            for partition in missing:
                fetched = answer.offsets.get(partition)
                if answer.error != ErrorCode.none:
                    refused[partition] = answer.error
                elif fetched is None or fetched.error != ErrorCode.none:
                    refused[partition] = ErrorCode.unknown_server_error if fetched is None else fetched.error
                elif fetched.offset < 0:
                    known[partition] = None
                else:
                    known[partition] = CommittedOffset(fetched.offset, fetched.metadata, fetched.leader_epoch)
            if refused:
                self._retry_or_raise(refused, patience, "read the committed offset")
        return known

    def close(self) -> None:
        with self._lock:
            self._disconnect()

    def _commit_request(self, identity: Identity, offsets: Mapping[Partition, CommittedOffset]) -> OffsetCommit:
        return OffsetCommit(
            group_id=self._options.group_id,
            member_id=identity.member_id,
            instance_id=self._options.instance_id,
            generation=identity.generation,
            offsets={
                partition: OffsetToCommit(
                    offset=offset.offset, leader_epoch=offset.leader_epoch, metadata=offset.metadata
                )
                for partition, offset in offsets.items()
            },
        )

    def _attempt(self, request: Request[AnswerT], patience: Patience, purpose: str) -> AnswerT | None:
        """The answer; None after a failure that is worth another try. Raises CommitFailedError."""
        try:
            with self._lock:
                if self._connection is None:
                    self._connection = self._client.connect_coordinator(self._options.group_id)
                return self._connection.call(request, timeout_s=self._options.request_timeout_ms / 1000)
        except WireError as error:
            self.close()
            if not error.retriable:
                raise CommitFailedError(f"cannot {purpose}: {error}") from error
            self._check(patience, f"{purpose}: {error}", cause=error)
            log.debug("offsets_retry: %s", error)
            patience.rest()
            return None

    def _retry_or_raise(self, refused: Mapping[Partition, ErrorCode], patience: Patience, purpose: str) -> None:
        for (topic, partition), code in refused.items():
            if not code.retriable:
                raise CommitFailedError(f"cannot {purpose} of {topic}[{partition}]: {code_name(code)}{cure(code)}")
        codes = frozenset(refused.values())
        if codes - {ErrorCode.unstable_offset_commit}:
            self.close()  # the coordinator may be another one by now
        (topic, partition), code = next(iter(refused.items()))
        self._check(patience, f"{purpose} of {topic}[{partition}]: {code_name(code)}")
        patience.rest()

    def _patience(self) -> Patience:
        return Patience(self._clock, self._pause, self._clock() + self._timeout_s)

    def _check(self, patience: Patience, what: str, cause: Exception | None = None) -> None:
        if patience.left_s <= 0:
            raise CommitFailedError(f"gave up after {self._timeout_s:g} s to {what}", retriable=True) from cause

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def fenced_out(why: str) -> CommitFailedError:
    return CommitFailedError(f"cannot commit offsets: {why}; the tasks may belong to others now", fenced=True)


def names(codes: Collection[ErrorCode]) -> str:
    return ", ".join(sorted(code_name(code) for code in codes))


def cure(code: ErrorCode) -> str:
    match code:
        case ErrorCode.offset_metadata_too_large:
            return "; the broker's offset.metadata.max.bytes is too small"
        case ErrorCode.topic_authorization_failed | ErrorCode.group_authorization_failed:
            return "; this user may not READ the topic or the group: ask for the ACL"
        case _:
            return ""
