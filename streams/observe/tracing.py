"""OpenTelemetry traces through an application: a span for each record processed, and one for each record sent.

The context travels in the records' headers (W3C `traceparent`): what comes in with one continues its trace, what goes
out carries it on, also through repartition topics. Nothing of this is in the generated code. A task whose application
traces gets its run functions and its `produce` wrapped when it is bound; any other gets them as they are.

Needs `pip install 'headrace[otel]'`, and a tracer provider of the program that says where spans go.
Source: semantic conventions for messaging and Kafka, 1.45; they are not stable, so their names are all here.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from streams.compile.program import (
    NO_LIMIT,
    Headers,
    Message,
    Produce,
    RecordFailure,
    RunFunction,
    SourceRun,
    TaskProgram,
)
from streams.errors import ConfigError
from streams.plan.task_id import TaskId
from streams.runtime.watermark import WATERMARK_HEADER

if TYPE_CHECKING:
    from opentelemetry.trace import Span

SYSTEM = "messaging.system"
OPERATION_NAME = "messaging.operation.name"
OPERATION_TYPE = "messaging.operation.type"
DESTINATION = "messaging.destination.name"
PARTITION = "messaging.destination.partition.id"
GROUP = "messaging.consumer.group.name"
OFFSET = "messaging.kafka.offset"
KEY = "messaging.kafka.message.key"
TOMBSTONE = "messaging.kafka.message.tombstone"
ERROR_TYPE = "error.type"
TASK = "headrace.task"
NODE = "headrace.node"


class Tracing:
    """What makes spans for the tasks of an application. Safe to share between threads.

    Spans go to the tracer provider that the program has set.

    Raises:
        ConfigError: OpenTelemetry is not installed.
    """

    def __init__(self, application_id: str) -> None:
        try:
            from opentelemetry import propagate, trace
        except ImportError as error:
            raise ConfigError("tracing needs OpenTelemetry: pip install 'headrace[otel]'", setting="tracing") from error
        self._trace = trace
        self._propagate = propagate
        self._tracer = trace.get_tracer("headrace")
        self._group = application_id

    def produce(self, produce: Produce, produce_full: Produce) -> Produce:
        """Sends a record as `produce` does, or `produce_full` if the queue is full; with a span and its context in the
        headers, if a record is processed.

        Where time, and not a record, brings something out (a punctuator, a commit, a window that closes later), the
        headers stay as they are.
        """
        tracer, inject = self._tracer, self._propagate.inject
        kind, current = self._trace.SpanKind.PRODUCER, self._trace.get_current_span
        in_context = self._trace.set_span_in_context

        def traced(
            topic: str,
            value: bytes | None,
            key: bytes | None,
            partition: int,
            callback: None,
            on_delivery: None,
            timestamp: int,
            headers: Headers | None,
            /,
        ) -> None:
            if not current().get_span_context().is_valid:
                produce(topic, value, key, partition, callback, on_delivery, timestamp, headers)
                return  # a full queue is the caller's to deal with
            span = tracer.start_span(f"send {topic}", kind=kind, attributes=described("send", topic, key, value))
            try:
                carrier: dict[str, str] = {}
                inject(carrier, in_context(span))
                kept = [header for header in headers or () if header[0] not in carrier]
                carried: Headers = [*kept, *((name, text.encode()) for name, text in carrier.items())]
                try:
                    produce(topic, value, key, partition, callback, on_delivery, timestamp, carried)
                except BufferError:
                    produce_full(topic, value, key, partition, callback, on_delivery, timestamp, carried)
            finally:
                span.end()

        return traced

    def follow(self, task: TaskId, program: TaskProgram) -> None:
        """Has the program's sources make a span for each record."""
        for source in program.sources.values():
            source.run = self._run(str(task), source, source.run)

    def _run(self, task: str, source: SourceRun, run: RunFunction) -> RunFunction:
        def traced(messages: Sequence[Message], start: int, end: int, limit: int) -> int:
            """One record at a time: a span is of one record."""
            for index in range(start, end):
                message = messages[index]
                headers = message.headers() or ()
                if message.value() is None and any(name == WATERMARK_HEADER for name, _ in headers):
                    if run(messages, index, index + 1, limit) == index:
                        return index
                    continue
                if limit != NO_LIMIT and is_later(source, message, limit):
                    return index
                context = self._propagate.extract(carrier_of(headers))
                topic = message.topic()
                span = self._tracer.start_span(
                    f"process {topic}",
                    context=context,
                    kind=self._trace.SpanKind.CONSUMER,
                    attributes={
                        **described("process", topic, message.key(), message.value()),
                        PARTITION: str(message.partition()),
                        OFFSET: message.offset(),
                        GROUP: self._group,
                        TASK: task,
                    },
                )
                with self._trace.use_span(
                    span, end_on_exit=True, record_exception=False, set_status_on_exception=False
                ):
                    try:
                        run(messages, index, index + 1, NO_LIMIT)
                    except RecordFailure as failure:
                        self._failed(span, failure)
                        raise
            return end

        return traced

    def _failed(self, span: Span, failure: RecordFailure) -> None:
        span.set_attribute(ERROR_TYPE, type(failure.cause).__qualname__)
        if failure.node is not None:
            span.set_attribute(NODE, failure.node.label)
        span.record_exception(failure.cause)
        span.set_status(self._trace.Status(self._trace.StatusCode.ERROR, str(failure.cause)))


def described(operation: str, topic: str, key: bytes | None, value: bytes | None) -> dict[str, Any]:
    """What the conventions want to know of any message. A key that is no text is left out."""
    attributes: dict[str, Any] = {
        SYSTEM: "kafka",
        OPERATION_NAME: operation,
        OPERATION_TYPE: operation,
        DESTINATION: topic,
    }
    if key is not None:
        with suppress(UnicodeDecodeError):
            attributes[KEY] = key.decode()
    if value is None:
        attributes[TOMBSTONE] = True
    return attributes


def carrier_of(headers: Sequence[tuple[str, bytes | None]]) -> dict[str, str]:
    """Headers as propagators read them. Of equal names the last one counts, as with `Headers.lastHeader`."""
    return {name: value.decode(errors="replace") for name, value in headers if value is not None}


def is_later(source: SourceRun, message: Message, limit: int) -> bool:
    """Whether the record is for another turn: another input of the task has an older one."""
    try:
        return source.head_time(message) > limit
    except Exception:  # running it says what is wrong with it
        return False
