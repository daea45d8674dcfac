"""The stream thread's figures, gathered for whoever asks."""

from __future__ import annotations

import math

from streams.observe import ThreadMeters
from streams.observe.reading import StandbyReading, ThreadReading
from streams.runtime.membership import Membership
from streams.runtime.producer import RecordProducer
from streams.runtime.task_reading import read_task
from streams.runtime.worker_tasks import WorkerTasks


def read_thread(
    name: str, meters: ThreadMeters, producer: RecordProducer, tasks: WorkerTasks, membership: Membership, now: float
) -> ThreadReading:
    """What it measured of itself and of its tasks. From any thread; `now`: s of the thread's clock."""
    standbys = tasks.standbys.seen
    return ThreadReading(
        name=name,
        began_ago_s=now - meters.began,
        poll=meters.poll.read(now),
        poll_records=meters.poll_records.read(now),
        process=meters.process.read(now),
        process_records=meters.process_records.read(now),
        punctuate=meters.punctuate.read(now),
        commit=meters.commit.read(now),
        created=meters.created.read(now),
        closed=meters.closed.read(now),
        restore=meters.restore.read(now),
        rebalances=meters.rebalances,
        assigned_ago_s=now - meters.assigned_at if meters.rebalances else math.nan,
        unreachable_since=membership.unreachable_since,
        producer_ns=producer.times.read(),
        restoring=tuple(tasks.restoring_progress().values()),
        tasks=tuple(read_task(task, now) for task in tasks.open()),
        standing_by=standbys.tasks,
        standbys=tuple(
            StandbyReading(task=task, store=store, position=lag.position, end_offset=lag.end)
            for (task, store), lag in sorted(standbys.lags.items())
        ),
    )
