"""What an application's failure handlers are asked, and may answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from streams.compile.program import Message
from streams.compile.source_text import FailureKind
from streams.errors import StreamsError
from streams.plan.task_id import TaskId

Decision = Literal["fail", "continue"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedRecord:
    """A record that could not be processed, as a handler sees it.

    `task` is None for a record of a global table; `message` is the record as it was read (None: a wall-clock punctuator
    failed); `node` the label of the operator that failed (None: no operator's code); `error` says in words what
    happened, with the original exception as its cause.
    Source: Kafka Streams' `ErrorHandlerContext` (KIP-1033).
    """

    task: TaskId | None
    node: str | None
    kind: FailureKind
    message: Message | None
    error: StreamsError
