"""What an application's failure handlers are asked, and may answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from msgspec import Struct

from streams.compile.program import Headers, Message
from streams.compile.source_text import FailureKind
from streams.errors import SourceLine, StreamsError
from streams.plan.task_id import TaskId
from streams.runtime.dead_letter import DeadLetter

Decision = Literal["fail", "continue", "dead_letter", "retry"]
"""`fail`: the worker ends with the error. `continue`: the record is dropped where it failed, and counted.
`dead_letter`: likewise, and it goes to the `dead_letter_topic`. `retry`: the production handler alone may say so; what
was done since the last commit is done again."""


class HandlerResponse(Struct, frozen=True, kw_only=True):
    """A decision with dead letters of the handler's own, which are written beside what the decision itself writes; none
    is written with `fail` and `retry`. Source: `Response.deadLetterQueueRecords` (KIP-1034)."""

    decision: Decision
    dead_letters: Sequence[DeadLetter] = ()


class FailedRecord(Struct, frozen=True, kw_only=True):
    """A record that could not be processed, as a handler sees it.

    `task` is None for a record of a global table; `message` is the record as it was read (None: no record was being
    processed, but a wall-clock punctuator ran); `node` the label of the operator that failed (None: no operator's
    code), and `source_line` where it was declared; `error` says in words what happened, with the original exception as
    its cause.
    Source: Kafka Streams' `ErrorHandlerContext` (KIP-1033).
    """

    task: TaskId | None
    node: str | None
    kind: FailureKind
    message: Message | None
    error: StreamsError
    source_line: SourceLine | None = None

    @property
    def cause(self) -> BaseException:
        """The exception that was raised; the error itself if it is headrace's own."""
        return self.error.__cause__ or self.error

    @property
    def topic(self) -> str | None:
        """The topic the record was read from; this and what follows are None where there is no record."""
        return None if self.message is None else self.message.topic()

    @property
    def partition(self) -> int | None:
        return None if self.message is None else self.message.partition()

    @property
    def offset(self) -> int | None:
        return None if self.message is None else self.message.offset()

    @property
    def timestamp(self) -> int | None:
        """The record's own, ms since the epoch."""
        return None if self.message is None else self.message.timestamp()[1]

    @property
    def headers(self) -> Headers:
        return [] if self.message is None else self.message.headers() or []

    @property
    def key(self) -> bytes | None:
        """As it was read. Source: `sourceRawKey`."""
        return None if self.message is None else self.message.key()

    @property
    def value(self) -> bytes | None:
        """As it was read. Source: `sourceRawValue`."""
        return None if self.message is None else self.message.value()
