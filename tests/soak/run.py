"""One run: input streams in, faults happen, and in the end everything is compared."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Sequence
from itertools import pairwise

from broker import Broker
from tests.broker.waits import wait_for
from tests.integration.worker_fleet import RunningBroker
from tests.soak.faults import FEWEST, Chaos
from tests.soak.flow import Flow
from tests.soak.output_reader import OutputReader
from tests.soak.verdict import Verdict

BROKER_AWAY = re.compile("broker (answers|did not|is reachable)|is reachable|bootstrap_servers")
FINISH_S = 150.0
SLICE_S = 0.1
PATIENCE_S = 8.0
"""After so long without a result, and before the first one, the job is left alone until there is one: faults are to hit
it at work."""
RECOVERY_S = 90.0


def run(
    flow: Flow,
    broker: RunningBroker,
    *,
    faults: int | Sequence[str],
    seed: int,
    between_s: tuple[float, float] = (0.3, 3.0),
    pause_s: tuple[float, float] = (0.2, 13.0),
    tell: Callable[[str], None] = lambda line: None,
) -> Verdict:
    """Runs a job through faults, and closes it.

    Args:
        faults: how many, of kinds that are drawn; or their kinds, in this order.
        broker: a bundled one is killed now and then, any other left alone.
        seed: of the faults and when they come. Processes have a timing of their own, so it does not repeat a run
            exactly.
    """
    began = time.monotonic()
    draw = random.Random(seed)
    watch = OutputReader(broker.bootstrap_servers, flow.outputs, flow.partitions)
    try:
        chaos = Chaos(flow.fleet, draw, broker=broker if isinstance(broker, Broker) else None, pause_s=pause_s)
        sent, never = 0, watch.newest
        kinds: Sequence[str | None] = [None] * faults if isinstance(faults, int) else faults
        for number, wanted in enumerate(kinds):
            feed(flow, sent, sent + flow.per_fault, draw.uniform(*between_s))
            sent += flow.per_fault
            since = watch.newest
            if since == never or time.monotonic() - since > PATIENCE_S:
                chaos.calm()
                wait_for(lambda since=since: watch.newest > since, "the job to put something out", seconds=RECOVERY_S)
            kind = chaos.next(wanted)
            tell(f"{number + 1}/{len(kinds)} {kind}, {flow.progress()} of {sent:,} records in")
        silence_s = watch.longest_s
        chaos.calm()
        flow.send(sent, flow.length)
        until = time.monotonic() + FINISH_S
        while not flow.finished() and time.monotonic() < until:
            chaos.calm()
        chaos.end()
        checks = flow.checks()
        return Verdict(
            flow=flow.name,
            seed=seed,
            faults=dict(chaos.counts),
            records_in=flow.length,
            outputs=tuple(checks),
            workers_started=flow.fleet.started - FEWEST,
            silence_s=silence_s,
            seconds=time.monotonic() - began,
            findings=(*flow.findings(), *flow.fleet.errors(BROKER_AWAY.search)),
        )
    finally:
        watch.close()
        flow.close()


def feed(flow: Flow, start: int, end: int, seconds: float) -> None:
    """Sends a part of the input evenly over a time: how long until the next fault is the test, no synchronisation."""
    slices = max(round(seconds / SLICE_S), 1)
    bounds = [start + (end - start) * place // slices for place in range(slices + 1)]
    for first, last in pairwise(bounds):
        flow.send(first, last)
        time.sleep(seconds / slices)
