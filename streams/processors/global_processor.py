"""A processor that fills a global store: it sees every record of the store's topic, in every worker."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NoReturn, cast

from streams.errors import SourceLine, StateError, TopologyError, TopologyProblem, cause_text
from streams.processors.context import ProcessorContext
from streams.processors.processor import Processor
from streams.processors.record import Record
from streams.processors.supplier import ProcessorSupplier
from streams.state import StoreDeclaration

if TYPE_CHECKING:
    from streams.compile.program import Message


class GlobalProcessorContext(ProcessorContext[Any, Any]):
    """What such a processor may ask: its store, where the record was read, and the time of day. It belongs to no task,
    so that nothing can be forwarded or scheduled, and each record is committed by itself.

    Source: `GlobalProcessorContextImpl`, which forwards only into the store.
    """

    __slots__ = ("_application_id", "_wall_clock")

    def __init__(self, name: str, application_id: str, wall_clock: Callable[[], int], no_record: Message) -> None:
        super().__init__(name, cast("Any", None), no_record)
        self._application_id = application_id
        self._wall_clock = wall_clock

    def __repr__(self) -> str:
        return f"GlobalProcessorContext({self._name})"

    @property
    def application_id(self) -> str:
        return self._application_id

    @property
    def wall_clock_time(self) -> int:
        return self._wall_clock()

    @property
    def task_id(self) -> NoReturn:
        self._refuse("has no task_id")

    @property
    def stream_time(self) -> NoReturn:
        self._refuse("has no stream_time")

    def forward(self, record: Record[Any, Any], /, *, child: str | None = None) -> NoReturn:
        self._refuse("forwards nothing")

    def schedule(self, interval: timedelta, kind: Any, punctuator: Callable[[int], Any], /) -> NoReturn:
        self._refuse("has no punctuators")

    def commit(self) -> None:
        """Does nothing: what the processor puts is committed with its record."""

    def _refuse(self, what: str) -> NoReturn:
        raise StateError(
            f"the processor of global store {self._name!r} {what}: it belongs to no task, and can only put what its "
            "records say into its store",
            store=self._name,
        )


class GlobalProcessor:
    """The running processor of one global store. Owned by the thread that reads the store's topic."""

    def __init__(
        self,
        supplier: ProcessorSupplier,
        declaration: StoreDeclaration[Any],
        store: Any,
        context: GlobalProcessorContext,
        origin: SourceLine | None,
    ) -> None:
        """Starts it. Raises TopologyError if there is no processor to be had, or its `init` fails."""
        self._context = context
        context.open_stores({declaration.name: declaration.open(store, context)})
        try:
            self._processor: Processor[Any, Any] = supplier.make()
            self._processor.init(context)
        except Exception as error:
            message = f"the processor of global store {declaration.name!r} ({supplier.name}) does not start"
            raise TopologyError([TopologyProblem(message=message + cause_text(error), origin=origin)]) from error

    def process(self, key: Any, value: Any, message: Message) -> None:
        """Hands one record to the user's `process`."""
        timestamp = message.timestamp()[1]
        self._context.entered(message, timestamp)
        headers = message.headers()
        self._processor.process(Record(key, value, timestamp, tuple(headers) if headers else ()))

    def close(self) -> None:
        self._processor.close()
