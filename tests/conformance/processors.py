"""The processors that vectors name, written with the Processor API: see README.md beside this file, section 5."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from streams import FixedKeyProcessor, FixedKeyRecord, Processor, ProcessorContext, Record, Stores
from tests.conformance.vocabulary import key_function, num, text

AnyRecord = Record[Any, Any]
KINDS: dict[str, Any] = {"stream": "stream_time", "wall": "wall_clock_time"}


class WithStore(Processor[Any, Any]):
    """`store` is the case's store; processors that every N ms do something schedule it by `every`."""

    def __init__(self, store: str | None) -> None:
        self.store_name = store

    def init(self, context: ProcessorContext[Any, Any]) -> None:
        super().init(context)
        self.store: Any = context.store(self.store_name) if self.store_name else None

    def every(self, interval: str, kind: str, punctuator: Any) -> Any:
        return self.context.schedule(timedelta(milliseconds=int(interval)), KINDS[kind], punctuator)


class Dedup(WithStore):
    def process(self, record: AnyRecord) -> None:
        if self.store.get(record.key) != record.value:
            self.store.put(record.key, record.value)
            self.context.forward(record)


class RunningCount(FixedKeyProcessor[Any, Any, Any]):
    def __init__(self, store: str) -> None:
        self.store = store

    def process(self, record: FixedKeyRecord[Any, Any]) -> None:
        counts = self.context.store(self.store)
        count = (counts.get(record.key) or 0) + 1
        counts.put(record.key, count)
        self.context.forward(record.with_value(count))


class StreamTime(FixedKeyProcessor[Any, Any, Any]):
    def process(self, record: FixedKeyRecord[Any, Any]) -> None:
        self.context.forward(record.with_value(self.context.stream_time))


class Stamp(Processor[Any, Any]):
    def __init__(self, by: str) -> None:
        self.by = int(by)

    def process(self, record: AnyRecord) -> None:
        self.context.forward(record.with_timestamp(record.timestamp + self.by))


class Fan(Processor[Any, Any]):
    def process(self, record: AnyRecord) -> None:
        self.context.forward(record)
        self.context.forward(record.with_key(text(record.key) + "'"))


class Rekey(Processor[Any, Any]):
    def __init__(self, name: str) -> None:
        self.key = key_function(name)

    def process(self, record: AnyRecord) -> None:
        self.context.forward(record.with_key(self.key(record.key, record.value)))


class Tick(WithStore):
    def __init__(self, interval: str, kind: str, runs: str = "0") -> None:
        super().__init__(None)
        self.interval, self.kind, self.left = interval, kind, int(runs)

    def init(self, context: ProcessorContext[Any, Any]) -> None:
        super().init(context)
        self.schedule = self.every(self.interval, self.kind, self.tick)

    def process(self, record: AnyRecord) -> None:
        self.context.forward(record)

    def tick(self, now: int) -> None:
        self.context.forward(Record("tick", now, now))
        self.left -= 1
        if self.left == 0:
            self.schedule.cancel()


class EmitEvery(WithStore):
    def __init__(self, store: str | None, interval: str, kind: str) -> None:
        super().__init__(store)
        self.interval, self.kind = interval, kind

    def init(self, context: ProcessorContext[Any, Any]) -> None:
        super().init(context)
        self.every(self.interval, self.kind, self.emit)

    def process(self, record: AnyRecord) -> None:
        self.store.put(record.key, num(self.store.get(record.key)) + num(record.value))

    def emit(self, now: int) -> None:
        with self.store.all() as entries:
            for key, value in entries:
                self.context.forward(Record(key, value, now))


class Ttl(WithStore):
    def __init__(self, store: str, age: str, kind: str) -> None:
        super().__init__(store)
        self.age, self.kind = age, kind

    def init(self, context: ProcessorContext[Any, Any]) -> None:
        super().init(context)
        self.every(self.age, self.kind, self.expire)

    def process(self, record: AnyRecord) -> None:
        self.store.put(record.key, max(num(self.store.get(record.key)), record.timestamp))
        self.context.forward(record)

    def expire(self, now: int) -> None:
        with self.store.all() as entries:
            for key, seen in entries:
                if seen <= now - int(self.age):
                    self.store.delete(key)
                    self.context.forward(Record(key, None, now))


def processor(op: dict[str, Any]) -> Any:
    """What makes the processor of an op."""
    name, *arguments = op["processor"].split(":")
    store = op.get("store")
    make: Any = {
        "dedup": lambda: Dedup(store),
        "running_count": lambda: RunningCount(store or ""),
        "stamp": lambda: Stamp(*arguments),
        "stream_time": StreamTime,
        "fan": Fan,
        "rekey": lambda: Rekey(":".join(arguments)),
        "tick": lambda: Tick(*arguments),
        "tick_cancel": lambda: Tick(*arguments),
        "emit_every": lambda: EmitEvery(store, *arguments),
        "ttl": lambda: Ttl(store or "", *arguments),
    }.get(name)
    if make is None:
        raise NotImplementedError(f"processor {name}")
    return make


def processor_store(op: dict[str, Any]) -> Any:
    """The declaration of an op's store."""
    kind, *_ = op.get("store_type", "kv").split(":")
    if kind != "kv":
        raise NotImplementedError(f"{kind} stores of processors")
    return Stores.key_value(op["store"])
