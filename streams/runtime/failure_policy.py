"""What happens when a record cannot be processed: the application's handlers decide.

Source: Kafka Streams' `DeserializationExceptionHandler` (KIP-161), `ProcessingExceptionHandler` (KIP-1033) and
`ProductionExceptionHandler` (KIP-210, KIP-399); dead letters KIP-1034.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import NoReturn, Protocol, get_args

from streams.compile.clock import NO_RECORD
from streams.compile.program import Headers, Message, RecordFailure
from streams.compile.source_text import FailureKind
from streams.errors import ConfigError, SchemaRegistryError, StateError, StreamsError, cause_text
from streams.observe import Counters
from streams.plan.task_id import TaskId
from streams.runtime.dead_letter import DeadLetter, dead_letter
from streams.runtime.decision import Decision, FailedRecord, HandlerResponse
from streams.runtime.failures import describe_failure
from streams.runtime.options import FailureHandler

log = logging.getLogger(__name__)

HANDLER_OF: Mapping[FailureKind, str] = {
    "deserialization": "deserialization_handler",
    "processing": "processing_handler",
    "serialization": "production_handler",
    "production": "production_handler",
}

Send = Callable[[str, bytes | None, bytes | None, int, int, Headers], None]
"""Writes (topic, value, key, partition, timestamp, headers), in the transaction if there is one."""


def blameless(cause: BaseException | None) -> None:
    """Takes every error for the record's."""


class HandlerSettings(Protocol):
    """Whatever has the settings of handlers: an application, the options of a worker."""

    @property
    def deserialization_handler(self) -> FailureHandler: ...
    @property
    def processing_handler(self) -> FailureHandler: ...
    @property
    def production_handler(self) -> FailureHandler: ...
    @property
    def dead_letter_topic(self) -> str | None: ...


class FailurePolicy:
    """Asks the handler for the kind of failure, and does as it says.

    Skipped records are counted, and logged once per operator with the first as a sample.
    """

    def __init__(
        self,
        *,
        deserialization: FailureHandler,
        processing: FailureHandler,
        production: FailureHandler = "fail",
        dead_letter_topic: str | None = None,
        send: Send | None = None,
        retry: Callable[[BaseException | None], None] = blameless,
        blame: Callable[[BaseException | None], None] = blameless,
    ) -> None:
        """`send` writes dead letters; `retry` and `blame` as `RecordProducer` has them: the one raises so that a record
        is tried again, the other where an error is not the record's."""
        self._retry = retry
        self._blame = blame
        self._handlers: Mapping[str, FailureHandler] = {
            "deserialization_handler": deserialization,
            "processing_handler": processing,
            "production_handler": production,
        }
        self._dead_letter_topic = dead_letter_topic
        self._send = send
        self._told: set[tuple[str, str | None]] = set()

    @classmethod
    def of(
        cls,
        settings: HandlerSettings,
        *,
        send: Send,
        retry: Callable[[BaseException | None], None] = blameless,
        blame: Callable[[BaseException | None], None] = blameless,
    ) -> FailurePolicy:
        """The policy that settings ask for; the rest as for the constructor."""
        return cls(
            deserialization=settings.deserialization_handler,
            processing=settings.processing_handler,
            production=settings.production_handler,
            dead_letter_topic=settings.dead_letter_topic,
            send=send,
            retry=retry,
            blame=blame,
        )

    @property
    def may_skip(self) -> bool:
        """Whether a record on which a user's function raised may be passed over, so that processing goes on with what
        it left behind."""
        return self._handlers["processing_handler"] != "fail"

    def fail(self, failure: RecordFailure, message: Message) -> NoReturn:
        """Raises what a failure amounts to that cannot be skipped: StreamsError."""
        if failure.verdict is not None:
            raise failure.verdict
        self._blame(failure.cause)
        raise describe_failure(failure, _read(message)) from failure.cause

    def judge(self, failure: RecordFailure, task: TaskId, counters: Counters) -> None:
        """As `skip`, for generated code that may go on with the record: what is to be raised is left in `verdict`."""
        try:
            self.skip(failure, failure.message, task, counters)
        except Exception as verdict:  # raised again by the task, past whatever the user's processors catch
            failure.verdict = verdict

    def skip(self, failure: RecordFailure, message: Message | None, task: TaskId | None, counters: Counters) -> None:
        """Returns if the record is to be dropped where it failed; it is counted then, and its dead letters are sent.

        Raises:
            StreamsError: the handler said "fail": what failed, which record, what to do. Or it is not the record's
                fault, as when the log or a schema registry does not answer, or a store cannot be read.
            WorkUndoneError: it said "retry", and that can be.
            ConfigError: the handler answered something else.
        """
        if failure.verdict is not None:
            raise failure.verdict
        self._blame(failure.cause)
        message = _read(message)
        error = describe_failure(failure, message)
        if isinstance(error, SchemaRegistryError | StateError):
            raise error from failure.cause
        if error is not failure.cause:
            error.__cause__ = failure.cause
        node = failure.node
        failed = FailedRecord(
            task=task,
            node=node.label if node is not None else None,
            kind=failure.kind,
            message=message,
            error=error,
            source_line=node.origin if node is not None else None,
        )
        response = self._ask(failed)
        if response.decision == "retry":
            self._retry(failure.cause)
        if response.decision in ("fail", "retry"):
            raise error from failure.cause
        letters = [*self._letters(response.decision, failed), *response.dead_letters]
        self._post(letters, failed)
        _count(failure.kind, counters, lettered=bool(letters))
        counters.skip_at(failed.node, str(error))
        if (failure.kind, failed.node) not in self._told:
            self._told.add((failure.kind, failed.node))
            log.warning(
                "record_skipped: %s (the first of its kind in %s; more are only counted)",
                error,
                failed.node or task,
                extra={"task": str(task) if task is not None else None},
            )

    def _ask(self, failed: FailedRecord) -> HandlerResponse:
        name = HANDLER_OF[failed.kind]
        handler = self._handlers[name]
        answer: Decision | HandlerResponse
        if isinstance(handler, str):
            answer: Decision | HandlerResponse = handler  # pyright: ignore[reportAssignmentType] (one of the names)
        else:
            try:
                answer = handler(failed)
            except Exception as raised:
                raise StreamsError(
                    f"the {name} itself failed{cause_text(raised)}; it was asked about: {failed.error}"
                ) from raised
        response = answer if isinstance(answer, HandlerResponse) else HandlerResponse(decision=answer)
        production = name == "production_handler"
        allowed = [decision for decision in get_args(Decision) if production or decision != "retry"]
        if response.decision not in allowed:
            raise ConfigError(
                f"{name} answered {response.decision!r}: answer {', '.join(map(repr, allowed[:-1]))} or "
                f"{allowed[-1]!r}",
                setting=name,
            ) from failed.error
        return response

    def _letters(self, decision: Decision, failed: FailedRecord) -> list[DeadLetter]:
        """What the decision itself sends: nothing where there was no record."""
        if decision != "dead_letter":
            return []
        if self._dead_letter_topic is None:
            name = HANDLER_OF[failed.kind]
            raise ConfigError(
                f"{name} says 'dead_letter', and there is no dead-letter topic: set dead_letter_topic", setting=name
            ) from failed.error
        return [] if failed.message is None else [dead_letter(self._dead_letter_topic, failed.message, failed.cause)]

    def _post(self, letters: Sequence[DeadLetter], failed: FailedRecord) -> None:
        for letter in letters:
            if self._send is None:
                raise StreamsError("dead letters cannot be sent here")
            try:
                self._send(letter.topic, letter.value, letter.key, -1, letter.timestamp, list(letter.headers))
            except StreamsError:
                raise
            except Exception as refused:
                raise StreamsError(
                    f"the dead letter for {letter.topic!r} cannot be sent{cause_text(refused)}; make room for it "
                    f"(message.max.bytes), or have the record dropped. It is about: {failed.error}"
                ) from refused


def _read(message: Message | None) -> Message | None:
    """The record that was read, if it was one."""
    return None if message is NO_RECORD else message


def _count(kind: FailureKind, counters: Counters, *, lettered: bool) -> None:
    for name in (f"skipped_{kind}", *((f"dead_lettered_{kind}",) if lettered else ())):
        setattr(counters, name, getattr(counters, name) + 1)
