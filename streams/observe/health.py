"""Whether a worker is well, for whoever starts and stops it or sends it requests."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from streams.observe.reading import WorkerReading
from streams.runtime.phase import WorkerState


class HealthAnswer(Struct, frozen=True):
    """`well` False is a 503; `body` says what is the matter, as JSON."""

    well: bool
    body: dict[str, Any]


def live(reading: WorkerReading) -> HealthAnswer:
    """Well unless the worker has failed or ended: if not, it has to be started again."""
    state = reading.state
    return HealthAnswer(state not in (WorkerState.ERROR, WorkerState.NOT_RUNNING), {"state": state.value})


def ready(reading: WorkerReading) -> HealthAnswer:
    """Well while all tasks of the worker run. The body has them, and how far those are that are being restored, and
    those that stand by, which do not count."""
    running, coming = reading.tasks
    thread = reading.thread
    return HealthAnswer(
        reading.state is WorkerState.RUNNING and not coming,
        {
            "state": reading.state.value,
            "tasks": {
                "running": [str(task) for task in sorted(running)],
                "restoring": [str(task) for task in sorted(coming)],
                "standing_by": [str(task) for task in sorted(thread.standing_by)] if thread is not None else [],
            },
            "restore": [
                {
                    "task": str(each.task),
                    "store": each.store,
                    "topic": each.topic,
                    "start_offset": each.start_offset,
                    "position": each.position,
                    "end_offset": each.end_offset,
                    "remaining": each.remaining,
                    "eta_s": None if each.eta_s is None else round(each.eta_s, 1),
                }
                for each in (thread.restoring if thread is not None else ())
            ],
            "standbys": [
                {
                    "task": str(each.task),
                    "store": each.store,
                    "position": each.position,
                    "end_offset": each.end_offset,
                    "lag": each.lag,
                }
                for each in (thread.standbys if thread is not None else ())
            ],
        },
    )
