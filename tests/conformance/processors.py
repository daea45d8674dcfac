"""The processors that vectors name, written with the Processor API: see README.md beside this file, section 5."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from streams import FixedKeyProcessor, FixedKeyRecord, Processor, ProcessorContext, Record, Stores, Windowed
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
        forward_unless_known(self.store, record, self.context)


class DedupValues(FixedKeyProcessor[Any, Any, Any]):
    def __init__(self, store: str) -> None:
        self.store = store

    def process(self, record: FixedKeyRecord[Any, Any]) -> None:
        forward_unless_known(self.context.store(self.store), record, self.context)


def forward_unless_known(store: Any, record: Any, context: Any) -> None:
    if store.get(record.key) != record.value:
        store.put(record.key, record.value)
        context.forward(record)


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


class StampValues(FixedKeyProcessor[Any, Any]):
    def __init__(self, by: str) -> None:
        self.by = int(by)

    def process(self, record: FixedKeyRecord[Any, Any]) -> None:
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


class StoreScript(WithStore):
    """The value is a command on the store; its result goes on as the value."""

    def __init__(self, store: str, kind: str) -> None:
        super().__init__(store)
        kinds: dict[str, Any] = {"kv": self.key_value, "window": self.window, "session": self.session}
        self.command: Any = kinds.get(kind.split(":")[0], self.versioned)

    def process(self, record: AnyRecord) -> None:
        name, *words = record.value.split(" ")
        self.context.forward(record.with_value(self.command(name, [None if w in ("null", "-") else w for w in words])))

    def key_value(self, name: str, a: list[Any]) -> Any:
        store = self.store
        if name == "put":
            return store.put(a[0], a[1]) or "ok"
        commands: dict[str, Any] = {
            "get": store.get,
            "delete": store.delete,
            "put_if_absent": store.put_if_absent,
            "range": store.range,
            "rrange": store.reverse_range,
            "all": store.all,
            "rall": store.reverse_all,
            "prefix": store.prefix_scan,
        }
        return listed(commands[name](*a))

    def window(self, name: str, a: list[Any]) -> Any:
        store = self.store
        if name == "put":
            return store.put(a[0], a[1], int(a[2])) or "ok"
        commands: dict[str, Any] = {
            "get": lambda: store.get(a[0], int(a[1])),
            "fetch": lambda: store.fetch(a[0], int(a[1]), int(a[2])),
            "rfetch": lambda: store.backward_fetch(a[0], int(a[1]), int(a[2])),
            "fetch_keys": lambda: store.fetch_keys(a[0], a[1], int(a[2]), int(a[3])),
            "fetch_all": lambda: store.fetch_all(int(a[0]), int(a[1])),
            "all": store.all,
            "rall": store.backward_all,
        }
        return listed(commands[name]())

    def session(self, name: str, a: list[Any]) -> Any:
        store = self.store
        if name == "put":
            return store.put(Windowed(a[0], int(a[1]), int(a[2])), a[3]) or "ok"
        commands: dict[str, Any] = {
            "remove": lambda: store.remove(Windowed(a[0], int(a[1]), int(a[2]))) or "ok",
            "get": lambda: store.fetch_session(a[0], int(a[1]), int(a[2])),
            "find": lambda: store.find_sessions(a[0], int(a[1]), int(a[2])),
            "rfind": lambda: store.backward_find_sessions(a[0], int(a[1]), int(a[2])),
            "find_keys": lambda: store.find_sessions_of_keys(a[0], a[1], int(a[2]), int(a[3])),
            "fetch": lambda: store.fetch(a[0]),
            "fetch_keys": lambda: store.fetch_keys(a[0], a[1]),
        }
        return listed(commands[name]())

    def versioned(self, name: str, a: list[Any]) -> Any:
        store = self.store
        if name == "put":
            return store.put(a[0], a[1], int(a[2]))
        commands: dict[str, Any] = {
            "delete": lambda: store.delete(a[0], int(a[1])),
            "get": lambda: store.get(a[0]),
            "as_of": lambda: store.as_of(a[0], int(a[1])),
        }
        version = commands[name]()
        return None if version is None else {"value": version.value, "ts": version.timestamp}


def listed(result: Any) -> Any:
    """A scan as a list of [key, value]; anything else as it is."""
    if result is None or isinstance(result, str):
        return result
    with result as entries:
        return [[shown(key), value] for key, value in entries]


def shown(key: Any) -> Any:
    return {"key": key.key, "start": key.start, "end": key.end} if isinstance(key, Windowed) else key


def processor(op: dict[str, Any]) -> Any:
    """What makes the processor of an op."""
    name, *arguments = op["processor"].split(":")
    store = op.get("store")
    make: Any = {
        "dedup": lambda: Dedup(store) if op["op"] == "process" else DedupValues(store or ""),
        "running_count": lambda: RunningCount(store or ""),
        "stamp": lambda: (Stamp if op["op"] == "process" else StampValues)(*arguments),
        "stream_time": StreamTime,
        "fan": Fan,
        "rekey": lambda: Rekey(":".join(arguments)),
        "tick": lambda: Tick(*arguments),
        "tick_cancel": lambda: Tick(*arguments),
        "store_script": lambda: StoreScript(store or "", op["store_type"]),
        "emit_every": lambda: EmitEvery(store, *arguments),
        "ttl": lambda: Ttl(store or "", *arguments),
    }.get(name)
    if make is None:
        raise NotImplementedError(f"processor {name}")
    return make


def processor_store(op: dict[str, Any]) -> Any:
    """The declaration of an op's store."""
    kind, *options = op.get("store_type", "kv").split(":")
    name = op["store"]
    if kind == "kv":
        return Stores.key_value(name)
    if kind == "window":
        retention, size = _ms(options[0]), _ms(options[1])
        return Stores.window(name, retention=retention, size=size, retain_duplicates="duplicates" in options)
    if kind == "session":
        return Stores.session(name, retention=_ms(options[0]))
    if kind == "versioned":
        return Stores.versioned_key_value(name, history_retention=_ms(options[0]))
    raise NotImplementedError(f"{kind} stores of processors")


class Never:
    """Nothing is written when rows are listed."""

    timestamp = 0


def processor_rows(rows: Any, declaration: Any) -> list[dict[str, Any]]:
    """What is in a store at the end."""
    if declaration.spec.kind == "versioned":
        with rows.all() as entries:
            return [{"key": declaration.key.deserialize(key), "value": v, "ts": ts} for key, (v, ts) in entries]
    store = declaration.open(rows, Never())
    scan = store.fetch_keys(None, None) if declaration.spec.kind == "session" else store.all()
    with scan as entries:
        return [{"key": shown(key), "value": value} for key, value in entries]


def _ms(text: str) -> timedelta:
    return timedelta(milliseconds=int(text))
