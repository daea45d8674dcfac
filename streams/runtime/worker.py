"""A worker: one process's share of an application.

`run` prepares the topics, joins the group, and turns the stream thread's loop in the calling thread until `stop` is
called (from a signal handler or another thread) or something fails.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Collection, Mapping
from contextlib import ExitStack
from functools import partial

from msgspec.structs import replace

from stores import RocksDbResources, StoreReader
from streams.errors import ApplicationShutdownError
from streams.observe import ThreadMeters
from streams.observe.reading import WorkerReading
from streams.plan.plan import PartitionPlan, Plan
from streams.plan.task_id import TaskId
from streams.query.server import QueryServer
from streams.runtime.access import AccessWatch
from streams.runtime.broker_wait import BrokerWait
from streams.runtime.changelog_positions import ChangelogPositions
from streams.runtime.collector import collecting_seldom
from streams.runtime.consumer import RecordConsumer
from streams.runtime.event_loop import open_event_loop
from streams.runtime.failure_policy import FailurePolicy
from streams.runtime.global_tables import GlobalTables, open_global_tables
from streams.runtime.guarantees import committer_of
from streams.runtime.intake import Intake
from streams.runtime.internal_topics import TopicDirectory, admin_client, internal_topics
from streams.runtime.joining import MakeMembership, group_membership
from streams.runtime.listener import RestoreProgress, Silent, WorkerListener
from streams.runtime.log_ends import BrokerLogEnds, CommittedEnds
from streams.runtime.membership import Membership, MemberView
from streams.runtime.options import WorkerOptions
from streams.runtime.partition_watch import PartitionWatch
from streams.runtime.phase import WorkerState, check_worker_transition
from streams.runtime.producer import deadline
from streams.runtime.publisher import WatermarkPublisher, published_topics
from streams.runtime.purge import RepartitionPurge
from streams.runtime.router import Place, Router
from streams.runtime.slot import Slot
from streams.runtime.standbys import StandingBy
from streams.runtime.state_cleanup import StateCleanup
from streams.runtime.state_watch import StateWatch
from streams.runtime.stop_signals import stopped_by_signals
from streams.runtime.stream_thread import StreamThread
from streams.runtime.task_metadata import metadata_topic
from streams.runtime.task_setup import set_up_tasks
from streams.runtime.topology_record import check_topology
from streams.runtime.transactional_producer import open_producer
from streams.runtime.turns import short_turns
from streams.runtime.uncaught import UncaughtPolicy, UncaughtResponse, end_application
from streams.runtime.wall_clock import wall_clock_ms

log = logging.getLogger(__name__)


class Worker:
    """Runs a share of an application's tasks.

    Args:
        plan: the compiled topology.
        listener: told what happens, on the stream thread.
        membership: how the worker gets its tasks; default: a member of the application's group.
    """

    def __init__(
        self,
        plan: Plan,
        options: WorkerOptions,
        *,
        listener: WorkerListener | None = None,
        membership: MakeMembership | None = None,
    ) -> None:
        self.plan = plan
        self.options = options
        self._listener = listener or Silent()
        self._make_membership = membership or group_membership
        self._state = WorkerState.CREATED
        self._client_id = options.instance_id or options.application_id
        self._state_changed = threading.Condition()
        self._stopping = threading.Event()
        self._pausing = threading.Event()
        self._leaving = True
        self._slot = options.slot
        self._uncaught = UncaughtPolicy(options.uncaught_exception_handler)
        self._response: UncaughtResponse | None = None
        self._thread: StreamThread | None = None
        self._members: Membership | None = None
        self._partition_plan: PartitionPlan | None = None
        self._queries: QueryServer | None = None
        self._global_tables: GlobalTables | None = None
        self._global_readers: Mapping[str, StoreReader] = {}

    def __repr__(self) -> str:
        return f"Worker({self.options.application_id!r}, {self._state.value})"

    # -- seen from outside -------------------------------------------------------------------------------------------
    @property
    def state(self) -> WorkerState:
        return self._state

    @property
    def application_id(self) -> str:
        return self.options.application_id

    @property
    def client_id(self) -> str:
        """The worker's name in the group, once it has its slot; the application's before that."""
        return self._client_id

    @property
    def endpoint(self) -> str | None:
        """`host:port` of the query server while it runs, as other workers reach it."""
        return self._queries.endpoint if self._queries is not None else None

    @property
    def partitions(self) -> PartitionPlan | None:
        """The plan fitted to the topics, once they are known."""
        return self._partition_plan

    def tasks(self) -> tuple[frozenset[TaskId], frozenset[TaskId]]:
        """The tasks that run here, and those that are being opened or restored."""
        return self._thread.tasks.seen if self._thread is not None else (frozenset(), frozenset())

    def standing_by(self) -> StandingBy:
        """The tasks whose state is kept up to date here, while they run elsewhere."""
        return self._thread.tasks.standbys.seen if self._thread is not None else StandingBy()

    def counters(self) -> Mapping[str, int]:
        """What was processed, dropped, skipped and committed since the start."""
        return self._thread.tasks.counters() if self._thread is not None else {}

    def readers(self) -> Mapping[tuple[str, int], StoreReader]:
        """(store, partition) -> committed rows, of the tasks that run here; readable from any thread until the task
        is given away (then StoreClosedError)."""
        return self._thread.tasks.stores if self._thread is not None else {}

    def global_readers(self) -> Mapping[str, StoreReader]:
        """Store -> committed rows, of the global tables and stores; readable from any thread until the worker ends."""
        return self._global_readers

    def reading(self) -> WorkerReading:
        """What it measured of itself, now. From any thread, in any state."""
        return WorkerReading(
            application_id=self.options.application_id,
            client_id=self._client_id,
            state=self._state,
            tasks=self.tasks(),
            thread=self._thread.read() if self._thread is not None else None,
        )

    def place_held(self) -> bool:
        """Whether what runs here cannot run elsewhere too; see `Membership.place_held`."""
        return self._members is not None and self._members.place_held

    def position(self, task: TaskId, place: Place) -> int | None:
        """The offset to which a task that runs here has read an input, as of the commit its rows are of."""
        return self._thread.tasks.position(task, place) if self._thread is not None else None

    def global_position(self, place: Place) -> int | None:
        """The offset to which a partition of a global table's topic has been taken in."""
        return self._global_tables.position(place) if self._global_tables is not None else None

    def restoring(self) -> Mapping[tuple[TaskId, str], RestoreProgress]:
        """(task, store) -> how far its changelog has been read back, of tasks that are being restored here."""
        return self._thread.tasks.restoring_progress() if self._thread is not None else {}

    def members(self) -> tuple[MemberView, ...]:
        """The group's members, their tasks and endpoints, as this worker last heard."""
        return tuple(self._members.members()) if self._members is not None else ()

    def wait_for(self, states: Collection[WorkerState], timeout_s: float | None = None) -> WorkerState:
        """Waits, on any thread but the worker's own, until it is in one of these states or the time is over; returns
        the state it is in."""
        with self._state_changed:
            self._state_changed.wait_for(lambda: self._state in states, timeout_s)
            return self._state

    # -- life --------------------------------------------------------------------------------------------------------
    def stop(self, *, leave: bool = True) -> None:
        """Asks the worker to commit and end; returns at once. May be called from any thread and signal handler.

        `leave`: gives the tasks to other workers at once. False keeps this worker's place in the group for the same
        worker to come back, until its session ends.
        """
        self._leaving = leave
        self._stopping.set()

    def pause(self) -> None:
        """Processes no records and calls no punctuators until `resume`; keeps its tasks, and commits what was done.
        From any thread, in any state. Source: KIP-834."""
        self._pausing.set()

    def resume(self) -> None:
        """Goes on after `pause`."""
        self._pausing.clear()

    @property
    def is_paused(self) -> bool:
        return self._pausing.is_set()

    def run(self, *, signals: bool = False) -> None:
        """Works until it is stopped. May be called once.

        Args:
            signals: SIGTERM and SIGINT stop the worker (only from the main thread).

        Raises:
            StreamsError: the worker could not start, or could not go on; what it had processed is committed as far as
                possible. Its place in the group is kept: a worker started in its slot takes over at once, others when
                its session ends.
        """
        with ExitStack() as around:
            around.enter_context(collecting_seldom())
            if self.options.query_port is not None:
                around.enter_context(short_turns())
            if signals:
                around.enter_context(stopped_by_signals(self.stop))
            try:
                self._enter(WorkerState.REBALANCING)
                while not self._runs_to_its_end():
                    pause_s = self._uncaught.pause_s()
                    log.error("worker_replaced: it begins anew in its place in %.1f s", pause_s)
                    self._stopping.wait(pause_s)
                if self._state is WorkerState.REBALANCING:  # told to stop while it was about to begin
                    self._enter(WorkerState.PENDING_SHUTDOWN)
            except BaseException:
                self._enter(WorkerState.ERROR)
                raise
        self._enter(WorkerState.NOT_RUNNING)

    def _runs_to_its_end(self) -> bool:
        """Works until it is stopped. False: it failed, and is to begin anew. Raises what it ends with."""
        self._response = None
        try:
            with ExitStack() as open_things:
                try:
                    if not self._stopping.is_set():
                        self._loop(self._start(open_things))
                except BaseException:
                    self._leaving = False  # the place is kept for whoever is started instead
                    raise
        except Exception as error:
            response = self._response or self._uncaught.respond(error)
            if response == "replace_worker":
                log.error("worker_failed: %s", error)
                if self._state is not WorkerState.REBALANCING:
                    self._enter(WorkerState.REBALANCING)
                return False
            if response == "shutdown_application":
                raise ApplicationShutdownError(str(error)) from error
            raise
        return True

    def _start(self, open_things: ExitStack) -> StreamThread:
        """Everything that is needed before the first turn of the loop, and how it is taken down again."""
        slot = Slot.claim(self.options.application_dir, self._slot)
        self._slot = slot.number
        open_things.callback(slot.close)
        name = self.options.instance_id or slot.instance_id(self.options.application_id)
        options = replace(self.options, instance_id=name, slot=slot.number)
        self._client_id = name
        self._serve(open_things, options)
        check_topology(options.application_dir, self.plan)
        access = AccessWatch(options.bootstrap_servers)
        open_admin = partial(admin_client, options, access)
        admin = open_admin()
        plan = TopicDirectory(options, admin, access).prepare(self.plan, stop=self._stopping.is_set)
        self._partition_plan = plan
        metadata = metadata_topic(plan)
        metadata_name = metadata.name if metadata is not None else None

        producer = open_producer(options, give_up=deadline(options.connect_timeout_s, self._stopping.is_set))
        open_things.callback(producer.close)
        producer.never_refused = (*(topic.name for topic in internal_topics(plan)), options.dead_letter_topic or "")
        consumer = RecordConsumer(options, reset=options.auto_offset_reset, resets=self.plan.offset_resets())
        open_things.callback(consumer.close)
        ends = BrokerLogEnds(open_admin, admin)
        membership = self._members = self._make_membership(plan, options, self.endpoint, ends)
        open_things.callback(lambda: membership.stop(leave=self._leaving))

        positions = ChangelogPositions(ends)
        publisher = WatermarkPublisher(
            published_topics(plan),
            interval_ms=options.watermark_interval_ms,
            repeat_ms=options.watermark_repeat_ms,
        )
        failures = FailurePolicy.of(options, send=producer.send, retry=producer.retry, blame=producer.blame)
        resources = RocksDbResources(
            block_cache_bytes=options.block_cache_bytes, write_buffer_bytes=options.write_buffer_bytes
        )
        global_tables = self._global_tables = open_global_tables(plan, options, resources, ends, wall_clock_ms)
        if global_tables is not None:
            open_things.callback(global_tables.close)
            global_tables.load(self._stopping.is_set)
            self._global_readers = {name: store.reader() for name, store in global_tables.stores.items()}
        calls = open_event_loop(plan.plan)
        if calls is not None:
            open_things.callback(calls.close)
        meters = ThreadMeters(time.monotonic())
        router = Router(cap_records=options.buffered_records, cap_bytes=options.buffered_bytes)
        waiting = BrokerWait()
        open_things.callback(waiting.close)
        tasks = set_up_tasks(
            plan,
            options,
            membership=membership,
            consumer=consumer,
            router=router,
            producer=producer,
            positions=positions,
            publisher=publisher,
            failures=failures,
            resources=resources,
            global_stores=global_tables.stores if global_tables is not None else {},
            listener=self._listener,
            metadata_topic=metadata_name,
            ends=ends,
            committed=CommittedEnds(options),
            meters=meters,
            calls=calls,
        )
        thread = StreamThread(
            options,
            tasks=tasks,
            membership=membership,
            intake=Intake(options, consumer=consumer, router=router, meters=meters, calls=calls),
            consumer=consumer,
            router=router,
            producer=producer,
            committer=committer_of(producer, membership, positions, metadata_name, waiting),
            publisher=publisher,
            purge=RepartitionPurge(
                admin, interval_s=options.repartition_purge_interval_ms / 1000, clock=time.monotonic
            ),
            cleanup=StateCleanup(options.application_dir, delay_s=options.state_cleanup_delay_s),
            listener=self._listener,
            global_tables=global_tables,
            aligned=any(sub.repartition_sinks for sub in plan.plan.subtopologies),
            checks=(
                PartitionWatch(admin, plan, interval_s=options.partition_check_interval_s, clock=time.monotonic).check,
                StateWatch(options.application_dir).check,
            ),
            paused=self._pausing.is_set,
            meters=meters,
        )
        self._thread = thread
        membership.start()
        return thread

    def _serve(self, open_things: ExitStack, options: WorkerOptions) -> None:
        """Starts the HTTP server before anything that takes time: health is asked from the beginning."""
        if options.query_port is None:
            return
        queries = self._queries = QueryServer(self)
        queries.start()

        def stop() -> None:
            self._queries = None
            queries.stop()
            self._listener.on_endpoint(None)

        open_things.callback(stop)
        self._listener.on_endpoint(self.endpoint)

    def _loop(self, thread: StreamThread) -> None:
        try:
            while not self._stopping.is_set():
                thread.step()
                settled = WorkerState.RUNNING if thread.settled else WorkerState.REBALANCING
                if settled is not self._state:
                    self._enter(settled)
        except BaseException as error:
            if isinstance(error, Exception):
                self._response = self._uncaught.respond(error)
            if self._state is WorkerState.RUNNING:
                self._enter(WorkerState.REBALANCING)  # its tasks do not run any more, which is not how running ends
            thread.leave(failed=True)
            if self._response == "shutdown_application" and self._members is not None:
                end_application(self._members, str(error), self.options.stop_timeout_s)
            raise
        self._enter(WorkerState.PENDING_SHUTDOWN)
        thread.leave(failed=False)

    def _enter(self, state: WorkerState) -> None:
        before = self._state
        check_worker_transition(before, state)
        with self._state_changed:
            self._state = state
            self._state_changed.notify_all()
        log.info("worker_state: %s -> %s", before.value, state.value)
        self._listener.on_state(before, state)
