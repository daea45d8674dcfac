"""`Processor` and `FixedKeyProcessor`: what users derive their own operators from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic

from typing_extensions import TypeVar

from streams.processors.context import FixedKeyProcessorContext, ProcessorContext
from streams.processors.record import FixedKeyRecord, Record

KIn = TypeVar("KIn")
VIn = TypeVar("VIn")
KOut = TypeVar("KOut", default=KIn)
VOut = TypeVar("VOut", default=VIn)


class Processor(Generic[KIn, VIn, KOut, VOut]):
    """An operator of your own: `Processor[KIn, VIn, KOut, VOut]`, the last two being the first two if left out.

        class Alarm(Processor[str, Reading]):
            def process(self, record: Record[str, Reading]) -> None:
                if record.value.degrees > 90:
                    self.context.forward(record)

    Each task has an instance of its own, which one thread alone calls. What it keeps between records belongs into
    stores: attributes are gone when the task moves.
    Source: `org.apache.kafka.streams.processor.api.ContextualProcessor`.
    """

    context: ProcessorContext[KOut, VOut]
    """Set by `init`."""

    if not TYPE_CHECKING:  # Python before 3.13 does not put in the defaults of type variables by itself

        def __class_getitem__(cls, arguments: Any) -> Any:
            if cls is Processor and isinstance(arguments, tuple) and len(arguments) in (2, 3):
                arguments = (*arguments, *arguments[len(arguments) - 2 : 2])
            return super().__class_getitem__(arguments)

    def init(self, context: ProcessorContext[KOut, VOut]) -> None:
        """Called once, before the first record, when the stores are complete. Schedules go here."""
        self.context = context

    def process(self, record: Record[KIn, VIn]) -> None:
        """Called for each record. Nothing goes on but what is forwarded."""
        raise NotImplementedError(f"{type(self).__name__} needs a method process(record)")

    def close(self) -> None:
        """Called once, when the task is closed: after its last commit, so that nothing put or forwarded here lasts; or
        after a failure, without a commit. Source: `TaskManager`, which commits, then suspends and closes."""


class FixedKeyProcessor(Generic[KIn, VIn, VOut]):
    """A processor that keeps each record's key, so that nothing has to be repartitioned behind it.

    Source: `org.apache.kafka.streams.processor.api.ContextualFixedKeyProcessor`.
    """

    context: FixedKeyProcessorContext[KIn, VOut]
    """Set by `init`."""

    if not TYPE_CHECKING:

        def __class_getitem__(cls, arguments: Any) -> Any:
            if cls is FixedKeyProcessor and isinstance(arguments, tuple) and len(arguments) == 2:
                arguments = (*arguments, arguments[1])
            return super().__class_getitem__(arguments)

    def init(self, context: FixedKeyProcessorContext[KIn, VOut]) -> None:
        """Called once, before the first record, when the stores are complete. Schedules go here."""
        self.context = context

    def process(self, record: FixedKeyRecord[KIn, VIn]) -> None:
        """Called for each record. Nothing goes on but what is forwarded."""
        raise NotImplementedError(f"{type(self).__name__} needs a method process(record)")

    def close(self) -> None:
        """Called once, when the task is closed: after its last commit, so that nothing put or forwarded here lasts; or
        after a failure, without a commit. Source: `TaskManager`, which commits, then suspends and closes."""
