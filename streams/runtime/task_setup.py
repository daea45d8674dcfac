"""Puts together what a worker keeps its tasks with."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping

from stores import RocksDbResources, Store
from streams.inflight import CallLoop
from streams.observe import ThreadMeters
from streams.plan.plan import PartitionPlan
from streams.runtime.changelog_positions import ChangelogPositions
from streams.runtime.consumer import RecordConsumer
from streams.runtime.failure_policy import FailurePolicy
from streams.runtime.listener import WorkerListener
from streams.runtime.local_state import local_positions
from streams.runtime.log_ends import LogEnds
from streams.runtime.membership import Membership
from streams.runtime.open_files import allow_open_files
from streams.runtime.options import WorkerOptions
from streams.runtime.producer import RecordProducer
from streams.runtime.publisher import WatermarkPublisher
from streams.runtime.restore import Restorer
from streams.runtime.router import Router
from streams.runtime.standbys import Standbys
from streams.runtime.state_lags import StateLags
from streams.runtime.task_opener import TaskOpener
from streams.runtime.wall_clock import wall_clock_ms
from streams.runtime.warm_ups import WarmUps
from streams.runtime.worker_tasks import WorkerTasks


def set_up_tasks(
    plan: PartitionPlan,
    options: WorkerOptions,
    *,
    membership: Membership,
    consumer: RecordConsumer,
    router: Router,
    producer: RecordProducer,
    positions: ChangelogPositions,
    publisher: WatermarkPublisher,
    failures: FailurePolicy,
    resources: RocksDbResources,
    global_stores: Mapping[str, Store],
    listener: WorkerListener,
    metadata_topic: str | None,
    ends: LogEnds,
    committed: LogEnds,
    meters: ThreadMeters,
    calls: CallLoop | None,
    clock: Callable[[], float] = time.monotonic,
    wall_clock: Callable[[], int] = wall_clock_ms,
) -> WorkerTasks:
    """A worker's tasks, none yet; the group is told what state lies here. `ends` tells where topics end, `committed`
    what the application has committed of them; `clock` is monotonic, in s; `wall_clock` in ms since the epoch."""
    allow_open_files(plan)
    lags = StateLags(local_positions(options.application_dir, plan), ends, membership.report, clock=clock)
    lags.begin()
    opener = TaskOpener(
        plan, options, membership, producer, failures, resources, global_stores, clock, wall_clock, calls
    )
    restorer = Restorer(
        lambda: RecordConsumer(options, "restore"),
        ends,
        listener,
        metadata_topic,
        committed=committed,
        give_up_s=math.inf if options.task_timeout_s is None else options.task_timeout_s,
        clock=clock,
    )
    standbys = Standbys(
        plan,
        restorer,
        opener.open_state,
        opener.directory,
        lags.rests,
        acceptable_lag=options.acceptable_recovery_lag,
        clock=clock,
    )
    return WorkerTasks(
        options,
        membership=membership,
        consumer=consumer,
        router=router,
        opener=opener,
        restorer=restorer,
        positions=positions,
        publisher=publisher,
        listener=listener,
        metadata_topic=metadata_topic,
        lags=lags,
        standbys=standbys,
        warm_ups=WarmUps(membership, standbys, probing_interval_s=options.probing_rebalance_interval_s, clock=clock),
        meters=meters,
        now=lambda: int(clock() * 1000),
    )
