"""A compiled sub-topology as the runtime and the test driver see it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from msgspec import Struct

from stores import Store
from streams.compile.source_text import FailureKind
from streams.errors import Part
from streams.graph.node import Node
from streams.plan.task_id import TaskId

if TYPE_CHECKING:
    from streams.inflight import CallLoop, InFlight
    from streams.processors import TaskProcessors

NO_LIMIT = 2**63 - 1

Headers = list[tuple[str, bytes | None]]


class Message(Protocol):
    """One record off the log: `confluent_kafka.Message`, or the test driver's twin."""

    def topic(self) -> str: ...
    def partition(self) -> int: ...
    def offset(self) -> int: ...
    def key(self) -> bytes | None: ...
    def value(self) -> bytes | None: ...
    def timestamp(self) -> tuple[int, int]: ...
    def headers(self) -> Headers | None: ...


class Produce(Protocol):
    """Sends one record; positional, in the order of `confluent_kafka.Producer.produce` (which differs from its
    documentation: `callback` and its alias `on_delivery` are two arguments). A full queue raises BufferError."""

    def __call__(
        self,
        topic: str,
        value: bytes | None,
        key: bytes | None,
        partition: int,
        callback: None,
        on_delivery: None,
        timestamp: int,
        headers: Headers | None,
        /,
    ) -> None: ...


class WatermarkSource(Protocol):
    """The watermark of one repartition topic of a task; `value` never goes back while all upstream tasks run."""

    value: int

    def observe(self, message: Any, /) -> bool: ...


class DropCounters(Protocol):
    """What generated code counts when it drops a record."""

    dropped_duplicate: int
    dropped_late: int
    dropped_invalid_timestamp: int
    dropped_out_of_order: int
    dropped_null_key: int
    dropped_null_value: int


def one_partition(topic: str) -> int:
    """Where topics are not spread: one."""
    return 1


class TaskBinding(Struct, kw_only=True):
    """What one task gives to the compiled code. `produce_full` is called where `produce` raised BufferError: it makes
    room (by serving delivery reports) and sends. `wall_clock` tells ms since the epoch."""

    application_id: str
    task_id: TaskId
    stores: Mapping[str, Store]
    produce: Produce
    produce_full: Produce
    watermarks: Mapping[str, WatermarkSource]
    counters: DropCounters
    wall_clock: Callable[[], int]
    partitions: Callable[[str], int] = one_partition
    """How many partitions a topic has that is written to."""
    least_time: int = 0
    """Ms since the epoch: what `produce` is given in place of 0, where that means something else to it."""
    may_skip: bool = False
    """A record that failed may be passed over: then functions that change an aggregate in place get a copy, so that
    what they did before they failed does not stay."""
    calls: CallLoop | None = None
    """Runs asynchronous functions; needed where the topology has any."""
    drop: Callable[[RecordFailure], None] | None = None
    """Asked where a record failed at one operator and others have still to do with it: returns if it is to be dropped
    there, else leaves what is to be raised in the failure's `verdict`. None: nothing is dropped."""


class RecordFailure(Exception):
    """A record could not be processed.

    `index` is its place in the list given to `run`; -1 if a wall-clock punctuator failed, a change that was held back
    for the commit, or a record in flight. `message` is the record that such a change came of, or that was in flight;
    `node` the operator; `kind` what failed, of `part` of the record; the cause is chained.
    Records before it are done; what it did itself before it failed (a store update upstream of the failing operator,
    what other operators made of it) stands, as in Kafka Streams when a handler answers "continue".

    `verdict`: the handler was asked already, and this is to be raised.
    """

    def __init__(
        self,
        index: int,
        node: Node | None,
        kind: FailureKind,
        cause: Exception,
        message: Message | None = None,
        part: Part = "value",
    ) -> None:
        super().__init__(f"{kind} failed in {node.label if node else 'generated code'}: {cause!r}")
        self.index = index
        self.node = node
        self.kind: FailureKind = kind
        self.part: Part = part
        self.cause = cause
        self.message = message
        self.verdict: BaseException | None = None
        self.__cause__ = cause

    @property
    def left_nothing(self) -> bool:
        """Whether it failed before any operator had to do with it."""
        return self.kind == "deserialization" and self.part == "value"


class SourceRun:
    """Runs batches of one source topic of one task."""

    __slots__ = ("head_time", "max_timestamp", "node", "run")

    def __init__(self, node: Node, run: RunFunction, head_time: Callable[[Message], int]) -> None:
        self.node = node
        self.run = run
        self.head_time = head_time
        self.max_timestamp = -1


RunFunction = Callable[[Sequence[Message], int, int, int], int]


def nothing() -> None:
    """What a task has to do where its operators ask for nothing."""


def nothing_with(told: object, /) -> None:
    """Likewise, told something."""


class TaskProgram(Struct, frozen=True):
    """The compiled functions of one task, bound to its stores and producer, and its processors. Functions that a
    topology has no use for are not generated."""

    sources: Mapping[str, SourceRun]
    processors: TaskProcessors
    in_flight: InFlight | None = None
    """The records that operators have taken and not let out; None: there are no such operators."""
    clocks: Callable[[], dict[str, int]] = dict[str, int]
    restore_clocks: Callable[[Mapping[str, int]], None] = nothing_with
    watermark_advanced: Callable[[], None] = nothing
    holding: Callable[[], dict[str, int]] = dict[str, int]
    """Label -> clock of each operator that holds records back at the moment."""
    flush: Callable[[], None] = nothing
    """Forwards what tables held back for the commit; to be called before each. Raises RecordFailure with index -1."""
    punctuate: Callable[[int], None] = nothing_with
    """Runs the wall-clock punctuators that are due at a time in ms. Raises RecordFailure."""
    settle: Callable[[], None] = nothing
    """Lets out the records in flight that are done, and starts work on others; to be called between runs. Raises
    RecordFailure with index -1; the next call goes on behind that record."""


class SubtopologyProgram(Struct, frozen=True, kw_only=True):
    """Compiled once per sub-topology. `source` is the generated module, for `headrace topology --format code`;
    `clocks` names the times a task remembers over restarts."""

    filename: str
    source: str
    build: Callable[[TaskBinding, TaskProcessors], TaskProgram]
    clocks: frozenset[str] = frozenset()
    emits_at_commit: bool = False
    """Tables hold changes back for `flush`."""
    calls_async: bool = False
    """Its tasks need an event loop."""
    drains: bool = False
    """A commit has to wait until nothing is in flight; else a source's position is its first record in flight."""

    def bind(self, binding: TaskBinding) -> TaskProgram:
        from streams.compile.clock import NO_RECORD
        from streams.processors import TaskProcessors

        return self.build(binding, TaskProcessors(binding, NO_RECORD))
