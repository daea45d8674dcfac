"""Keeps a worker's copies of global tables: loaded before its tasks start, kept up to date between their batches.

Each worker has a copy of its own, in `<state_dir>/<application>/global-<slot>`, and a consumer of its own that reads
all partitions. Source: Kafka Streams' `GlobalStreamThread`; here the stream thread does it, once a turn, so that a
batch of records sees one state of the table.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from confluent_kafka import Message as KafkaMessage

from stores import RocksDbResources, RocksDbTaskState, StateLockedError, Store, StoreError
from streams.errors import StateError
from streams.observe import Counters
from streams.operators.global_table import GlobalTable
from streams.plan.plan import PartitionPlan
from streams.runtime.consumer import RecordConsumer
from streams.runtime.failure_policy import FailurePolicy
from streams.runtime.global_letters import GlobalLetters
from streams.runtime.global_state import GlobalState, Skip, Surroundings
from streams.runtime.log_ends import LogEnds
from streams.runtime.options import WorkerOptions
from streams.runtime.router import Place, events, is_partition_end, stretches

log = logging.getLogger(__name__)

FETCH_RECORDS = 10_000
LOAD_WAIT_S = 0.1
ANSWER_WAIT_S = 30.0


class GlobalTables:
    """Owned by the stream thread.

    Args:
        places: all partitions of the tables' topics.
        consumer: for these alone; closed here.
        skip: decides about records that do not decode.
        letters: the dead letters that it writes; closed here.
    """

    def __init__(
        self,
        state: GlobalState,
        places: Sequence[Place],
        consumer: RecordConsumer,
        skip: Skip,
        letters: GlobalLetters,
    ) -> None:
        self._state = state
        self._places = places
        self._consumer = consumer
        self._skip = skip
        self._letters = letters
        self._behind = set(places)
        """Partitions whose end was not reached since the start."""

    @classmethod
    def open(
        cls,
        tables: Sequence[GlobalTable],
        counts: Mapping[str, int],
        directory: Path,
        resources: RocksDbResources,
        consumer: RecordConsumer,
        ends: LogEnds,
        skip: Skip,
        letters: GlobalLetters,
        around: Surroundings,
    ) -> GlobalTables:
        """Opens the copies as they were left; a copy that is further than its topic (which was deleted and made anew)
        is begun again.

        Args:
            counts: partitions of each topic.

        Raises:
            StateError: the directory cannot be used.
            TopologyError: the processor of a global store does not start.
            StreamsError: the broker does not say where the topics end.
        """
        places = [(table.topic, partition) for table in tables for partition in range(counts[table.topic])]
        known = ends.request(places).result(ANSWER_WAIT_S)
        state = _open_state(tables, directory, resources, around)
        if any((state.position(place) or 0) > known[place] for place in places):
            log.warning("global_state_wiped: a topic is shorter than what was read of it; %s is loaded anew", directory)
            state.close()
            shutil.rmtree(directory)
            state = _open_state(tables, directory, resources, around)
        return cls(state, places, consumer, skip, letters)

    @property
    def stores(self) -> Mapping[str, Store]:
        """The tables' stores by name."""
        return self._state.stores

    def position(self, place: Place) -> int | None:
        """The offset to which a partition has been taken in; None before the first record. For any thread."""
        return self._state.position(place)

    def load(self, stop: Callable[[], bool]) -> None:
        """Reads all partitions to their ends, or until `stop` says so.

        Raises:
            StreamsError: a topic cannot be read, or a record does not decode and is not to be skipped.
        """
        self._consumer.assign({place: self._state.position(place) or 0 for place in self._places})
        taken = 0
        while self._behind and not stop():
            taken += self._take(LOAD_WAIT_S)
        log.info("global_tables_loaded: %d records", taken)

    def poll(self) -> None:
        """Takes in what has come. Raises as `load`."""
        self._take(0)

    def close(self) -> None:
        self._consumer.close()
        self._letters.close()
        self._state.close()

    def _take(self, timeout_s: float) -> int:
        messages = self._consumer.fetch(FETCH_RECORDS, timeout_s)
        taken = at = 0
        for index in events(messages):
            taken += self._apply(messages[at:index])
            event, at = messages[index], index + 1
            if is_partition_end(event):
                self._behind.discard((str(event.topic()), int(event.partition() or 0)))
            else:
                self._consumer.check(event)
        return taken + self._apply(messages[at:])

    def _apply(self, messages: Sequence[KafkaMessage]) -> int:
        for place, stretch in stretches(messages):
            last = stretch[-1].offset()
            assert last is not None
            self._state.apply(place, stretch, last + 1, self._skip, self._letters.settle)  # pyright: ignore[reportArgumentType]
        return len(messages)


def open_global_tables(
    plan: PartitionPlan,
    options: WorkerOptions,
    resources: RocksDbResources,
    ends: LogEnds,
    wall_clock: Callable[[], int],
) -> GlobalTables | None:
    """A worker's copies of its topology's global tables, None if it has none. Raises as `GlobalTables.open`."""
    tables, counters = plan.plan.global_tables, Counters()
    if not tables:
        return None
    letters = GlobalLetters.of(options)
    failures = FailurePolicy.of(options, send=letters.send)
    return GlobalTables.open(
        tables,
        plan.counts,
        options.application_dir / f"global-{options.slot}",
        resources,
        RecordConsumer(options, "global"),
        ends,
        lambda failure, message: failures.skip(failure, message, None, counters),
        letters,
        Surroundings(options.application_id, wall_clock),
    )


def _open_state(
    tables: Sequence[GlobalTable], directory: Path, resources: RocksDbResources, around: Surroundings
) -> GlobalState:
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        state = RocksDbTaskState.open(directory, [table.spec for table in tables], resources)
    except (StateLockedError, StoreError, OSError) as error:
        raise StateError(f"the global tables in {directory} cannot be opened: {error}") from error
    return GlobalState(tables, state, around)
