"""What a processor may ask and do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

from msgspec import Struct

from streams.errors import StateError
from streams.processors.punctuation import Cancellable, PunctuationType
from streams.processors.record import FixedKeyRecord, Record

if TYPE_CHECKING:
    from streams.compile.program import Headers, Message
    from streams.plan.task_id import TaskId
    from streams.processors.task_processors import TaskProcessors
    from streams.state import StoreDeclaration

K = TypeVar("K")
V = TypeVar("V")
S = TypeVar("S")

Forward = Callable[[Any, Any, int, "Headers | None", "Message"], None]
"""Runs what follows a processor for (key, value, timestamp, headers, the message being processed)."""


class RecordMetadata(Struct, frozen=True):
    """Where the record that is being processed was read. Source: `RecordMetadata`."""

    topic: str
    partition: int
    offset: int


class TaskContext:
    """What both kinds of processors may ask. Belongs to one processor of one task."""

    __slots__ = ("_children", "_forward", "_message", "_name", "_punctuate", "_stores", "_task", "_timestamp")

    def __init__(self, name: str, task: TaskProcessors, message: Message) -> None:
        self._name = name
        self._task = task
        self._message = message
        self._timestamp = 0
        self._stores: Mapping[str, Any] = {}
        self._forward: Forward = _nowhere
        self._children: Mapping[str, Forward] = {}
        self._punctuate: Callable[[Callable[[int], Any], int], None] = _call

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._name}, task {self._task.task_id})"

    # -- where it is ----------------------------------------------------------------------------------------------
    @property
    def application_id(self) -> str:
        return self._task.application_id

    @property
    def task_id(self) -> TaskId:
        """Prints as `0_3`: sub-topology and partition."""
        return self._task.task_id

    @property
    def record_metadata(self) -> RecordMetadata | None:
        """Topic, partition and offset of the record being processed; None in punctuators and in `init`."""
        message = self._message
        return RecordMetadata(message.topic(), message.partition(), message.offset()) if message.topic() else None

    # -- time -----------------------------------------------------------------------------------------------------
    @property
    def stream_time(self) -> int:
        """The largest timestamp the task has read, ms; -1 before the first record. Behind a repartition topic with
        several upstream tasks it is held back by the least of their times."""
        return self._task.stream_time()

    @property
    def wall_clock_time(self) -> int:
        """Ms since the epoch; in a test driver, what it was advanced to."""
        return self._task.wall_clock()

    def schedule(self, interval: timedelta, kind: PunctuationType, punctuator: Callable[[int], Any], /) -> Cancellable:
        """Has `punctuator(now)` called every `interval` of stream time or of wall-clock time; `now` in ms.

        Stream time: after the first record, then whenever a record has moved time past the next multiple of the
        interval. Wall clock: between batches of records, first after one interval. After a gap it is called once.

        Raises:
            ValueError: the interval is shorter than a millisecond, or the kind is neither of the two.
        """
        interval_ms = interval // timedelta(milliseconds=1)
        if interval_ms < 1:
            raise ValueError(f"schedule needs an interval of at least one millisecond, got {interval}")
        task = self._task
        if kind == "stream_time":
            return task.on_stream_time.add(0, interval_ms, self._punctuated, punctuator)
        if kind == "wall_clock_time":
            return task.on_wall_clock.add(task.wall_clock() + interval_ms, interval_ms, self._punctuated, punctuator)
        raise ValueError(f"schedule needs 'stream_time' or 'wall_clock_time', got {kind!r}")

    # -- state ----------------------------------------------------------------------------------------------------
    @overload
    def store(self, store: StoreDeclaration[S], /) -> S: ...
    @overload
    def store(self, store: str, /) -> Any: ...
    def store(self, store: StoreDeclaration[Any] | str, /) -> Any:
        """A store the processor is connected to, by name or by its declaration.

        Raises:
            StateError: it is not among those named in `stores=`.
        """
        name = store if isinstance(store, str) else store.name
        try:
            return self._stores[name]
        except KeyError:
            known = ", ".join(map(repr, self._stores)) or "none"
            raise StateError(
                f"processor {self._name!r} is not connected to a store {name!r} (it has {known}): name it in "
                f"process(…, stores=[{name!r}])",
                task=str(self.task_id),
                store=name,
            ) from None

    def commit(self) -> None:
        """Asks for a commit soon; it takes place when the batch in hand is done."""
        self._task.commit_requested = True

    # -- for the generated code -----------------------------------------------------------------------------------
    def connect(self, forward: Forward, children: Mapping[str, Forward], punctuate: Callable[..., None]) -> None:
        """Takes the generated functions: of all that follows, of each child, and the one that calls punctuators."""
        self._forward, self._children, self._punctuate = forward, children, punctuate

    def open_stores(self, stores: Mapping[str, Any]) -> None:
        self._stores = stores

    def entered(self, message: Message, timestamp: int) -> None:
        """This record is being processed from now on."""
        self._message = message
        self._timestamp = timestamp

    @property
    def timestamp(self) -> int:
        """Of the record being processed or the punctuation, ms: what rows are stored with."""
        return self._timestamp

    def _punctuated(self, punctuator: Callable[[int], Any], now: int) -> None:
        before = self._message, self._timestamp
        self._message, self._timestamp = self._task.no_record, now
        try:
            self._punctuate(punctuator, now)
        finally:
            self._message, self._timestamp = before

    def _target(self, child: str | None) -> Forward:
        if child is None:
            return self._forward
        try:
            return self._children[child]
        except KeyError:
            known = ", ".join(map(repr, self._children)) or "none"
            raise ValueError(f"processor {self._name!r} has no child {child!r}; it has {known}") from None


class ProcessorContext(TaskContext, Generic[K, V]):
    """The context of a `Processor`. Source: `org.apache.kafka.streams.processor.api.ProcessorContext`."""

    __slots__ = ()

    def forward(self, record: Record[K, V], /, *, child: str | None = None) -> None:
        """Passes a record on to all that follows, or to the child of that name; returns when they are done with it.

        Raises:
            ValueError: there is no such child.
            TypeError: it is no `Record`.
        """
        if type(record) is not Record:
            raise TypeError(f"forward needs a Record, got {record!r}")
        headers = record.headers
        self._target(child)(
            record.key, record.value, record.timestamp, list(headers) if headers else None, self._message
        )


class FixedKeyProcessorContext(TaskContext, Generic[K, V]):
    """The context of a `FixedKeyProcessor`. Source: `FixedKeyProcessorContext` (KIP-820)."""

    __slots__ = ()

    def forward(self, record: FixedKeyRecord[K, V], /, *, child: str | None = None) -> None:
        """Passes a record on to all that follows, or to the child of that name; returns when they are done with it.

        Raises:
            ValueError: there is no such child.
            TypeError: it is no `FixedKeyRecord`.
        """
        if type(record) is not FixedKeyRecord:
            raise TypeError(f"process_values forwards a FixedKeyRecord (record.with_value(…)), got {record!r}")
        headers = record.headers
        self._target(child)(
            record.key, record.value, record.timestamp, list(headers) if headers else None, self._message
        )


def _nowhere(key: Any, value: Any, timestamp: int, headers: Any, message: Any) -> None:
    pass


def _call(punctuator: Callable[[int], Any], now: int) -> None:
    punctuator(now)
