"""What can go wrong, cut by what the caller must do about it.

    StreamsError
    ├── ConfigError        a setting is missing, malformed or contradicts another
    ├── TopologyError      the topology cannot run; lists every problem with the user's file:line
    ├── SerdeError         bytes could not become a key or value, or the other way round
    ├── SchemaRegistryError  a schema registry does not answer, or refuses a schema; never a record's fault
    ├── ProcessingError    the user's function failed for one record
    ├── BufferFullError    more changes wait in a suppressed table's buffer than it may hold
    ├── ProduceError       the log refused a record, or did not answer
    ├── StateError         a state store cannot be opened, read or written
    ├── TaskFencedError    another process owns the task now; stop and rejoin
    ├── ApplicationShutdownError  one of the application's workers has asked for all of them to end
    └── QueryError         a query cannot be answered here or now

What a program may want to look at are attributes; the message is for people and ends with the cure. The original
exception, where there is one, is `__cause__` and `cause`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

Part = Literal["key", "value"]


@dataclass(frozen=True, slots=True)
class SourceLine:
    """A line of the user's program."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TopologyProblem:
    """One mistake in a topology, and where it was declared (None where no line of the user's is to blame)."""

    message: str
    origin: SourceLine | None = None

    def __str__(self) -> str:
        return self.message if self.origin is None else f"{self.origin}: {self.message}"


class StreamsError(Exception):
    """Whatever headrace raises on its own account.

    `retriable` says whether the same call can succeed later without anybody changing anything.
    """

    retriable: bool = False


class ConfigError(StreamsError, ValueError):
    """A setting is missing, malformed or contradicts another; `setting` is its name, if it is one setting's fault."""

    def __init__(self, message: str, *, setting: str | None = None) -> None:
        super().__init__(message)
        self.setting = setting


class TopologyError(StreamsError, ValueError):
    """The topology cannot run. `problems` lists everything that is wrong with it, in the order it was declared."""

    def __init__(self, problems: Sequence[TopologyProblem]) -> None:
        self.problems = tuple(problems)
        if len(self.problems) == 1:
            message = str(self.problems[0])
        else:
            lines = "".join(f"\n  {problem}" for problem in self.problems)
            message = f"the topology has {len(self.problems)} problems:{lines}"
        super().__init__(message)


class SerdeError(StreamsError):
    """Bytes could not become a key or value (`action` is "deserialize"), or the other way round ("serialize").

    `type_name` is the type that was expected; `partition` and `offset` are those of the record being processed.
    """

    def __init__(
        self,
        *,
        part: Part,
        type_name: str,
        topic: str | None = None,
        partition: int | None = None,
        offset: int | None = None,
        action: Literal["serialize", "deserialize"] = "deserialize",
        cause: BaseException | None = None,
    ) -> None:
        self.part = part
        self.type_name = type_name
        self.topic = topic
        self.partition = partition
        self.offset = offset
        self.action = action
        self.cause = self.__cause__ = cause
        if action == "deserialize":
            what = f"the {part}{record_place(topic, partition, offset)} is no valid {type_name}"
            cure = "declare the type that is on the topic, or skip such records with a deserialization handler"
        else:
            place = f" made{record_place(topic, partition, offset)}" if partition is not None else f" for {topic}"
            what = f"the {part} of a record{place if topic else ''} cannot be written as {type_name}"
            cure = f"return a {type_name}, or name the type that is returned"
        super().__init__(f"{what}{cause_text(cause)}; {cure}")


class SchemaRegistryError(StreamsError):
    """A schema registry does not answer, or refuses a schema.

    No record is to blame, so none is skipped for it, whatever the handlers say.
    """


class ProcessingError(StreamsError):
    """The user's function failed for one record.

    `node` is the operator's name, `function` what it called, `file` and `line` where that was declared; `key` is the
    decoded key and may be None; topic, partition and offset are those of the record that was read. `cure` says
    what to do.
    """

    def __init__(
        self,
        *,
        node: str,
        function: str | None = None,
        file: str | None = None,
        line: int | None = None,
        key: Any = None,
        topic: str | None = None,
        partition: int | None = None,
        offset: int | None = None,
        cause: BaseException | None = None,
        cure: str = "make the function handle this record",
    ) -> None:
        self.node = node
        self.function = function
        self.file = file
        self.line = line
        self.key = key
        self.topic = topic
        self.partition = partition
        self.offset = offset
        self.cause = self.__cause__ = cause
        called = f" in {function}" if function else ""
        declared = f" ({file}:{line})" if file else ""
        super().__init__(
            f"{node}{declared} failed{called} for key {key!r}{record_place(topic, partition, offset)}"
            f"{cause_text(cause)}; {cure}, or skip it with a processing handler"
        )


class BufferFullError(StreamsError):
    """More changes wait in a suppressed table's buffer than it may hold, and it must not let them out early.

    `node` is the operator's name; `records` and `size_bytes` are what waits in the task. Source: KIP-328.
    """

    def __init__(
        self, node: str, *, records: int, size_bytes: int, record_limit: int | None, byte_limit: int | None
    ) -> None:
        self.node = node
        self.records = records
        self.size_bytes = size_bytes
        held = f"{records} records" + (f" of {record_limit}" if record_limit is not None else "")
        held += f" and {size_bytes} bytes" + (f" of {byte_limit}" if byte_limit is not None else "")
        super().__init__(
            f"the buffer of {node} is full: {held} wait in one task; allow it more, leave out its bounds, or let it "
            "emit early (only until_time_limit)"
        )


class ProduceError(StreamsError):
    """The log refused a record, or did not answer in time."""

    def __init__(
        self, message: str, *, topic: str | None = None, partition: int | None = None, retriable: bool = False
    ) -> None:
        super().__init__(message)
        self.topic = topic
        self.partition = partition
        self.retriable = retriable


class StateError(StreamsError):
    """A state store cannot be opened, read or written. `task` is the task's name such as "0_3"."""

    def __init__(self, message: str, *, task: str | None = None, store: str | None = None) -> None:
        super().__init__(message)
        self.task = task
        self.store = store


class TaskFencedError(StreamsError):
    """Another process owns the task (or this member's place) now: drop the work, write nothing, rejoin."""

    def __init__(self, message: str, *, task: str | None = None) -> None:
        super().__init__(message)
        self.task = task


class ApplicationShutdownError(StreamsError):
    """One of the application's workers failed in a way after which all of them are to end; nothing restarts by itself.

    Source: KIP-671, `SHUTDOWN_APPLICATION`.
    """


class QueryError(StreamsError):
    """A query cannot be answered here or now; `retriable` while tasks are moving or a store is being restored."""

    def __init__(self, message: str, *, store: str | None = None, retriable: bool = False) -> None:
        super().__init__(message)
        self.store = store
        self.retriable = retriable


def record_place(topic: str | None, partition: int | None, offset: int | None) -> str:
    """` of flights[3] at offset 17`, with as much of it as is known."""
    if topic is None:
        return ""
    place = f" of {topic}" if partition is None else f" of {topic}[{partition}]"
    return place if offset is None else f"{place} at offset {offset}"


def cause_text(cause: BaseException | None) -> str:
    return "" if cause is None else f": {type(cause).__name__}: {cause}"
