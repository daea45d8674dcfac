"""The processors of one task: their instances, their schedules and their lives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from streams.errors import SourceLine, TopologyError, TopologyProblem, cause_text
from streams.processors.context import FixedKeyProcessorContext, ProcessorContext, TaskContext
from streams.processors.processor import Processor
from streams.processors.punctuation import Punctuations
from streams.processors.record import FixedKeyRecord, Record
from streams.processors.supplier import ProcessorSupplier
from streams.state import StoreDeclaration

if TYPE_CHECKING:
    from streams.compile.program import Headers, Message, TaskBinding


class ProcessorNode(Protocol):
    """The operator, as far as it matters here."""

    @property
    def label(self) -> str: ...
    @property
    def origin(self) -> SourceLine | None: ...
    @property
    def supplier(self) -> ProcessorSupplier: ...


class RunningProcessor:
    """A user's processor in one task, as the generated code calls it."""

    __slots__ = (
        "_declarations",
        "_node",
        "_process",
        "_record",
        "_task",
        "context",
        "processor",
    )

    def __init__(
        self,
        node: ProcessorNode,
        declarations: Mapping[str, StoreDeclaration[Any]],
        task: TaskProcessors,
    ) -> None:
        self._node = node
        self._declarations = declarations
        self._task = task
        fixed = node.supplier.kind is not Processor
        self._record = FixedKeyRecord if fixed else Record
        context = FixedKeyProcessorContext if fixed else ProcessorContext
        self.context: TaskContext = context(node.label, task, task.no_record)
        self.processor: Any = None
        self._process: Callable[[Any], Any] = _not_started

    def process(self, key: Any, value: Any, timestamp: int, headers: Headers | None, message: Message) -> None:
        """Hands one record to the user's `process`."""
        self.context.entered(message, timestamp)
        self._process(self._record(key, value, timestamp, tuple(headers) if headers else ()))

    def start(self) -> None:
        """Raises TopologyError if there is no processor to be had, or its `init` fails."""
        stores = self._task.stores
        self.context.open_stores(
            {name: each.open(stores[name], self.context) for name, each in self._declarations.items()}
        )
        node = self._node
        try:
            self.processor = node.supplier.make()
            self.processor.init(self.context)
        except Exception as error:
            message = f"processor {node.label!r} ({node.supplier.name}) does not start{cause_text(error)}"
            raise TopologyError([TopologyProblem(message=message, origin=node.origin)]) from error
        self._process = self.processor.process

    def close(self) -> None:
        processor, self.processor = self.processor, None
        if processor is not None:
            processor.close()


class TaskProcessors:
    """Owned by a task. `start` when its state is complete, `close` when it is closed."""

    __slots__ = (
        "_running",
        "application_id",
        "commit_requested",
        "no_record",
        "on_stream_time",
        "on_wall_clock",
        "stores",
        "stream_time",
        "task_id",
        "wall_clock",
    )

    def __init__(self, binding: TaskBinding, no_record: Message) -> None:
        self.application_id = binding.application_id
        self.task_id = binding.task_id
        self.stores = binding.stores
        self.wall_clock = binding.wall_clock
        self.no_record = no_record
        self.on_stream_time = Punctuations()
        self.on_wall_clock = Punctuations()
        self.stream_time: Callable[[], int] = _unknown_time
        self.commit_requested = False
        self._running: list[RunningProcessor] = []

    def add(self, node: ProcessorNode, declarations: Mapping[str, StoreDeclaration[Any]]) -> RunningProcessor:
        """A processor of the task; started later, with all others, upstream first."""
        running = RunningProcessor(node, declarations, self)
        self._running.append(running)
        return running

    def start(self) -> None:
        for running in self._running:
            running.start()

    def close(self) -> None:
        """Closes all, also if one raises; the first exception is raised at the end."""
        first: Exception | None = None
        for running in self._running:
            try:
                running.close()
            except Exception as error:
                first = first or error
        if first is not None:
            raise first


def _unknown_time() -> int:
    return -1


def _not_started(record: Any) -> None:
    raise RuntimeError("a record came to a processor before its task was started")
