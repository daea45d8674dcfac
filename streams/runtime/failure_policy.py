"""What happens when a record cannot be processed: the application's handlers decide.

Source: Kafka Streams' `DeserializationExceptionHandler` (KIP-161) and `ProcessingExceptionHandler` (KIP-1033).
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import NoReturn

from streams.compile.program import Message, RecordFailure
from streams.errors import ConfigError, SchemaRegistryError
from streams.observe import Counters
from streams.plan.task_id import TaskId
from streams.runtime.decision import FailedRecord
from streams.runtime.failures import describe_failure
from streams.runtime.options import FailureHandler

log = logging.getLogger(__name__)


def blameless(cause: BaseException | None) -> None:
    """Takes every error for the record's."""


class FailurePolicy:
    """Asks the handler for the kind of failure: one for bytes that do not decode, one for all else.

    Skipped records are counted, and logged once per operator with the first as a sample.
    """

    def __init__(
        self,
        *,
        deserialization: FailureHandler,
        processing: FailureHandler,
        blame: Callable[[BaseException | None], None] = blameless,
    ) -> None:
        """`blame` raises where an error is not the record's: see `RecordProducer.blame`."""
        self._blame = blame
        self._deserialization = deserialization
        self._processing = processing
        self._told: set[tuple[str, str | None]] = set()

    @property
    def may_skip(self) -> bool:
        """Whether a record on which a user's function raised may be passed over, so that processing goes on with what
        it left behind."""
        return self._processing != "fail"

    def fail(self, failure: RecordFailure, message: Message) -> NoReturn:
        """Raises what a failure amounts to that cannot be skipped: StreamsError."""
        self._blame(failure.cause)
        raise describe_failure(failure, message) from failure.cause

    def skip(self, failure: RecordFailure, message: Message | None, task: TaskId | None, counters: Counters) -> None:
        """Returns if the record is to be skipped; it is counted then.

        Raises:
            StreamsError: the handler said "fail": what failed, which record, what to do. Or it is not the record's
                fault, as when the log or a schema registry does not answer.
            ConfigError: the handler answered something else.
        """
        self._blame(failure.cause)
        error = describe_failure(failure, message)
        if isinstance(error, SchemaRegistryError):
            raise error
        handler = self._deserialization if failure.kind == "deserialization" else self._processing
        node = failure.node.label if failure.node is not None else None
        decision = handler if isinstance(handler, str) else None
        if decision is None and not isinstance(handler, str):
            decision = handler(FailedRecord(task=task, node=node, kind=failure.kind, message=message, error=error))
        if decision == "fail":
            raise error from failure.cause
        if decision != "continue":
            name = "deserialization_handler" if failure.kind == "deserialization" else "processing_handler"
            raise ConfigError(f"{name} answered {decision!r}: answer 'fail' or 'continue'", setting=name) from error
        if failure.kind == "deserialization":
            counters.skipped_deserialization += 1
        elif failure.kind == "serialization":
            counters.skipped_serialization += 1
        else:
            counters.skipped_processing += 1
        if (failure.kind, node) not in self._told:
            self._told.add((failure.kind, node))
            log.warning(
                "record_skipped: %s (the first of its kind in %s; more are only counted)",
                error,
                node or task,
                extra={"task": str(task) if task is not None else None},
            )
