"""`App`: a topology under declaration and the settings it runs with."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast
from weakref import WeakSet

from streams.context import Context
from streams.dsl.builder import TopologyBuilder
from streams.dsl.global_ktable import GlobalKTable
from streams.dsl.kstream import KStream
from streams.dsl.ktable import KTable
from streams.dsl.materialize import global_store, global_table, materialize
from streams.dsl.missing_method import TellsMissingMethods
from streams.errors import SourceLine, StateError
from streams.expressions import Expression
from streams.graph.function import UserFunction, user_function
from streams.graph.origin import caller_origin
from streams.graph.schema import Schema
from streams.operators.source import InvalidTimestamp, OffsetReset, Source
from streams.plan.build import build_plan
from streams.plan.plan import Plan
from streams.processors import Processor
from streams.serde import Serde
from streams.settings import FailureHandler, application_settings
from streams.state import StoreDeclaration, StoreName

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from streams.runtime.embedded import EmbeddedWorker
    from streams.runtime.listener import WorkerListener
    from streams.runtime.worker import Worker

TimestampExtractor = Expression | Callable[[Any], int] | Callable[[Any, Any], int] | Callable[[Any, Any, Context], int]

K = TypeVar("K")
V = TypeVar("V")
S = TypeVar("S")


class App(TellsMissingMethods):
    """A stream-processing application.

    Declare streams and tables, connect them, then `run()`, or test the topology with `TopologyTestDriver(app)`.
    Settings left out come from `HEADRACE_*` environment variables, else from `headrace.toml`, else from the defaults of
    `AppSettings`.

    Raises:
        ConfigError: a setting is unknown or malformed.
    """

    def __init__(
        self,
        application_id: str,
        *,
        bootstrap_servers: str | None = None,
        state_dir: str | PathLike[str] | None = None,
        commit_interval: timedelta | None = None,
        deserialization_handler: FailureHandler | None = None,
        processing_handler: FailureHandler | None = None,
        production_handler: FailureHandler | None = None,
        dead_letter_topic: str | None = None,
        client_config: Mapping[str, Any] | None = None,
        **settings: Any,
    ) -> None:
        given: dict[str, Any] = {
            "bootstrap_servers": bootstrap_servers,
            "state_dir": state_dir,
            "commit_interval": commit_interval,
            "deserialization_handler": deserialization_handler,
            "processing_handler": processing_handler,
            "production_handler": production_handler,
            "dead_letter_topic": dead_letter_topic,
            "client_config": client_config,
            **settings,
        }
        # What was said here, for whoever wants to know where a setting comes from.
        self.given: Mapping[str, Any] = {name: value for name, value in given.items() if value is not None}
        self.settings = application_settings(application_id, self.given)
        self.schema_registry = self.settings.schema_registry()  # of serdes that name none themselves
        self._builder = TopologyBuilder(application_id)
        self._plan: tuple[int, Plan] | None = None
        self._workers: WeakSet[Worker] = WeakSet()

    def __repr__(self) -> str:
        return f"App({self.settings.application_id!r})"

    # -- declaration ----------------------------------------------------------------------------------------------
    def stream(
        self,
        topic: str | Sequence[str],
        *,
        key: type[K] | Serde | Any = None,
        value: type[V] | Serde | Any = None,
        timestamp: TimestampExtractor | None = None,
        invalid_timestamp: InvalidTimestamp = "fail",
        auto_offset_reset: OffsetReset | None = None,
        name: str | None = None,
    ) -> KStream[K, V]:
        """A stream of the records of one topic or several; one that is named twice is read once.

        Args:
            key, value: a type (str, int, float, bytes, dict, a struct or model class) or a `Serde`. Default: string
                keys, JSON values.
            timestamp: event time in ms since the epoch, found in the value (`F.ts`, or a function of `value` or of
                `(key, value)`, with a `Context` last if it wants one, which has the record's own timestamp); default
                the record's own, which a record with a null value always has.
            invalid_timestamp: what to do with a record whose time is negative: "fail", "skip" (it is counted), or
                "partition_time", the largest time seen in its partition.
            auto_offset_reset: where to begin in a partition without a committed offset: "earliest", "latest", "none"
                (the worker fails), or a timedelta: with the first record no older than that. Default: where the worker
                is told to, which is at the beginning.
        """
        origin = caller_origin()
        several = isinstance(cast(object, topic), Iterable) and not isinstance(topic, str)
        given = cast(Iterable[Any], topic if several else (topic,))
        topics = tuple(dict.fromkeys(self._builder.check_name("topic", each, origin) for each in given))
        if not topics:
            self._builder.problem("stream needs at least one topic", origin)
        node = Source(
            schema=self._builder.schema(key, value, Schema(), origin),
            origin=origin,
            label=name or "-".join(topics),
            topics=topics,
            timestamp=self._extractor(timestamp, origin),
            invalid_timestamp=invalid_timestamp,
            reset=self._reset(auto_offset_reset, origin),
        )
        return KStream(self._builder, self._builder.add(node))

    def table(
        self,
        topic: str,
        *,
        key: type[K] | Serde | Any = None,
        value: type[V] | Serde | Any = None,
        timestamp: TimestampExtractor | None = None,
        invalid_timestamp: InvalidTimestamp = "fail",
        auto_offset_reset: OffsetReset | None = None,
        store: StoreName | None = None,
    ) -> KTable[K, V]:
        """A topic read as a table: the newest value of each key; a null value deletes it.

        Args:
            store: the name of the store that keeps the rows, or `Materialized(…)`; with a `history_retention` the table
                is versioned.

        The other arguments are those of `stream`.
        """
        origin = caller_origin()
        topic = self._builder.check_name("topic", topic, origin)
        schema = self._builder.schema(key, value, Schema(), origin)
        source = Source(
            schema=schema,
            origin=origin,
            label=f"{topic}-source",
            topics=(topic,),
            role="table",
            timestamp=self._extractor(timestamp, origin),
            invalid_timestamp=invalid_timestamp,
            reset=self._reset(auto_offset_reset, origin),
        )
        self._builder.add(source)
        return KTable(self._builder, materialize(self._builder, source, schema, store, "table", origin))

    def global_table(
        self,
        topic: str,
        *,
        key: type[K] | Serde | Any = None,
        value: type[V] | Serde | Any = None,
        store: StoreName | None = None,
    ) -> GlobalKTable[K, V]:
        """A topic of which every worker has all rows: the newest value of each key; a null value deletes it.

        Streams join with it by any key and without co-partitioning. Meant for small, slowly changing tables.
        """
        origin = caller_origin()
        topic = self._builder.check_name("topic", topic, origin)
        schema = self._builder.schema(key, value, Schema(), origin)
        return GlobalKTable(self._builder, global_table(self._builder, topic, schema, store, origin))

    def _reset(self, given: Any, origin: SourceLine | None) -> OffsetReset | None:
        known = given in (None, "earliest", "latest", "none") or (
            isinstance(given, timedelta) and given >= timedelta(0)
        )
        if not known:
            self._builder.problem(
                f'auto_offset_reset is "earliest", "latest", "none" or a timedelta that is not negative, got {given!r}',
                origin,
            )
        return given if known else None

    def _extractor(self, timestamp: TimestampExtractor | None, origin: SourceLine | None) -> UserFunction | None:
        if timestamp is None:
            return None
        return user_function(self._builder, "timestamp", timestamp, ("value",), ("key", "value"), origin=origin)

    def add_store(self, store: StoreDeclaration[S]) -> StoreDeclaration[S]:
        """Declares a store for processors, which connect to it by `process(…, stores=[…])`. Returns it.

        Source: `StreamsBuilder.addStateStore`.
        """
        self._builder.add_store(store, caller_origin())
        return store

    def add_global_store(
        self,
        store: str | StoreDeclaration[S],
        topic: str,
        *,
        key: type[K] | Serde | Any = None,
        value: type[V] | Serde | Any = None,
        processor: Callable[[], Processor[K, V, Any, Any]] | Processor[K, V, Any, Any] | None = None,
    ) -> None:
        """A store that a topic fills, all of it in every worker. Each processor has it by `context.store(name)`, to
        read, without naming it in `stores=`.

        Args:
            store: a name, for the newest value of each key with its timestamp; or a declaration (`Stores.window(…)`).
            key, value: the types or serdes of the topic's records; default for a declared store: its own.
            processor: sees every record, null keys included, and puts what it makes of it into the declared store. It
                belongs to no task: it forwards nothing and has no punctuators. Without one, rows are put as they come
                into a key-value store; a null value deletes, null keys are left out.

        Records are taken in before tasks start, and while they run; a worker that lost its copy has them all processed
        again. Rows put and the position in the topic are committed together, so that each counts once.
        Source: `StreamsBuilder.addGlobalStore` (KIP-233, KIP-1024).
        """
        origin = caller_origin()
        topic = self._builder.check_name("topic", topic, origin)
        if isinstance(store, str) and processor is None:
            schema = self._builder.schema(key, value, Schema(), origin)
            global_table(self._builder, topic, schema, store, origin)
        else:
            global_store(self._builder, topic, store, key, value, processor, origin)

    def add_read_only_store(
        self, name: str, topic: str, *, key: type[K] | Serde | Any = None, value: type[V] | Serde | Any = None
    ) -> None:
        """A store that a topic fills, each task with the rows of its partition, which processors can only read.

        Processors connect to it by `process(…, stores=[name])`, which brings their input and the topic into one
        sub-topology: both need the same partitions. The topic is the store's changelog too: a store that was lost is
        read from it again, up to the committed offset, so the topic has to be compacted or kept for ever.
        Source: `addReadOnlyStateStore` (KIP-813).
        """
        origin = caller_origin()
        topic = self._builder.check_name("topic", topic, origin)
        schema = self._builder.schema(key, value, Schema(), origin)
        source = Source(schema=schema, origin=origin, label=f"{topic}-source", topics=(topic,), role="table")
        self._builder.add(source)
        materialize(self._builder, source, schema, name, "table", origin, read_only=True)

    def store(self, name: str, *, max_lag: int | None = None) -> Any:
        """What the workers of this process have committed to a store, to be read from any thread while they run: a
        `ReadOnlyKeyValueStore`, `ReadOnlyWindowStore`, `ReadOnlySessionStore` or `ReadOnlyVersionedStore`, by its kind,
        with values and timestamps as processors see them. Of a custom store it has the rows, as bytes.

        A global store is whole. Of others it has the partitions whose tasks run here: a key of another worker's is not
        found, and scans go through one partition after the other. The handle stays good while tasks come and go; a
        read raises QueryError, retriable, while no task of the store runs here.

        With `max_lag` it has the partitions too whose tasks stand by here, as long as they lack no more than so many
        records of the store's changelog as far as is known.
        Source: `KafkaStreams.store` with `StoreQueryParameters`, `enableStaleStores` (KIP-535).

        Raises:
            QueryError: the topology has no such store, or it is of a kind that cannot be asked.
        """
        from streams.query.local_store import find_store, local_store, readers_of

        store = find_store(self.plan(), name)
        return local_store(store, lambda: readers_of(tuple(self._workers), store, max_lag))

    # -- doors ----------------------------------------------------------------------------------------------------
    def plan(self) -> Plan:
        """The topology, checked and compiled; made anew only when something was declared since.

        Raises:
            TopologyError: listing every problem with its line.
        """
        graph = self._builder.graph()
        size = len(graph.nodes) + len(graph.problems)
        if self._plan is None or self._plan[0] != size:
            self._plan = (
                size,
                build_plan(
                    self.settings.application_id,
                    graph,
                    project=self.settings.validate_values == "read",
                    emit_at_commit=self.settings.emit_updates == "commit",
                    optimizations=self.settings.topology_optimization,
                    registry=self.schema_registry,
                ),
            )
        return self._plan[1]

    def worker(
        self,
        *,
        bootstrap_servers: str | None = None,
        state_dir: str | PathLike[str] | None = None,
        listener: WorkerListener | None = None,
        slot: int | None = None,
        **options: Any,
    ) -> Worker:
        """A worker for this application; `run()` it in a thread of yours, `stop()` it from any other.

        Args:
            slot: the worker's place among those on the same state directory, default the lowest that is free; a worker
                that comes back to a slot gets its tasks back at once.
            options: further fields of `WorkerOptions`, such as `query_port`.

        Raises:
            TopologyError: see `plan`.
        """
        from streams.discovery import locate_broker
        from streams.runtime.options import WorkerOptions
        from streams.runtime.worker import Worker

        settings = self.settings
        location = locate_broker(bootstrap_servers or settings.bootstrap_servers)
        directory = Path(state_dir) if state_dir is not None else settings.state_dir
        chosen: dict[str, Any] = {
            **settings.worker_options(),
            "slot": slot,
            "client_config": location.client_properties(settings.client_config),
            **options,
        }
        worker = Worker(
            self.plan(),
            WorkerOptions(
                application_id=settings.application_id,
                bootstrap_servers=location.bootstrap_servers,
                state_dir=directory,
                **chosen,
            ),
            listener=listener,
        )
        self._workers.add(worker)
        return worker

    def cleanup(self, *, state_dir: str | PathLike[str] | None = None) -> list[str]:
        """Deletes the application's state on this host, so that the next worker restores it from the changelogs;
        returns the names of the deleted folders, such as `0_1`. Offsets and topics stay (`headrace reset` is for them).
        Source: `KafkaStreams.cleanUp`.

        Raises:
            StateError: a worker of the application runs on this host.
        """
        from streams.runtime.phase import WorkerState
        from streams.runtime.state_cleanup import delete_state

        done = (WorkerState.CREATED, WorkerState.NOT_RUNNING, WorkerState.ERROR)
        if any(worker.state not in done for worker in self._workers):
            raise StateError("the application runs in this process: stop its workers before its state is deleted")
        directory = Path(state_dir) if state_dir is not None else self.settings.state_dir
        return delete_state(directory / self.settings.application_id)

    def run(self, **options: Any) -> None:
        """Runs the application in this process until SIGTERM or Ctrl-C; commits and leaves its group then.

        Takes what `worker` takes.
        """
        self.worker(**options).run(signals=True)

    async def start(self, **options: Any) -> EmbeddedWorker:
        """Runs the application in a thread beside the event loop; returns when its tasks run. `stop()` what it returns.

        Takes what `worker` takes.

        Raises:
            StreamsError, ConfigError, TopologyError: it could not start.
        """
        from streams.runtime.embedded import EmbeddedWorker

        embedded = EmbeddedWorker(self.worker(**options))
        await embedded.start()
        return embedded

    @asynccontextmanager
    async def lifespan(self, program: object = None) -> AsyncGenerator[None]:
        """Runs while another program does: `FastAPI(lifespan=app.lifespan)`, or `async with app.lifespan():`.

        Args:
            program: what the framework passes; not used.
        """
        running = await self.start()
        try:
            yield
        finally:
            await running.stop()
