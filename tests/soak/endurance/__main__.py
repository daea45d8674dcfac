"""`python -m tests.soak.endurance`: an hour at half load with a rebalance every two minutes.

Two workers stay, a third joins, leaves, joins and is killed, in turn; every task has a standby. Ends with 1 if memory,
descriptors or lag of those that stay rise over the last third, or if a visit is not counted once.
"""

from __future__ import annotations

import argparse
import csv
import os
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

from broker import Broker
from tests.broker.waits import wait_for
from tests.soak.endurance.job import Job
from tests.soak.endurance.readings import Readings
from tests.soak.endurance.topology import OUTPUTS
from tests.soak.endurance.trend import Sample, Tolerance, Trend

SOON_CLEAN = {"segment.bytes": str(8 * 2**20), "delete.retention.ms": "60000"}
"""Changelogs are compacted up to their newest segment, which by default is a GiB: more than they get in an hour. And
of each window a tombstone stays for a day by default."""
EVERY_S = 5.0
FIRST_RATE, SETTLE_S, MEASURED_S = 5_000, 10.0, 15.0
"""Visits a second that are tried first; each next try is of twice as many."""
KEPT_UP = 0.9
"""Who processes less than this part of what comes cannot do more."""
JUDGED = 1 / 3
"""The part of the run, its last, that must be flat."""
CATCH_UP_S = 300.0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.soak.endurance", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--rebalance-every", type=float, default=120, metavar="SECONDS")
    parser.add_argument("--rate", type=int, help="visits a second; default: half of what the machine does at first")
    parser.add_argument("--samples", type=Path, help="write all samples here, as CSV")
    options = parser.parse_args()
    os.environ["HEADRACE_NUM_STANDBY_REPLICAS"] = "1"
    with tempfile.TemporaryDirectory() as temporary:
        directory = Path(temporary)
        with Broker(data=directory / "broker", topic_defaults=SOON_CLEAN) as broker:
            job = Job(broker, directory / "job")
            assert broker.process is not None
            processes = {f"worker {n}": worker.pid for n, worker in enumerate(job.steady, 1)}
            readings = Readings(
                broker.bootstrap_servers,
                {**processes, "the broker": broker.process.pid},
                {"the broker": directory / "broker", "the workers": directory / "job"},
            )
            try:
                full = full_rate(job, readings)
                rate = options.rate or full // 2
                print(f"{rate:,} visits a second of {full:,} for {options.minutes:g} minutes", flush=True)
                samples = watch(job, readings, rate, options.minutes * 60, options.rebalance_every)
                right = exact(job)
            finally:
                readings.close()
                job.close()
    if options.samples:
        write(samples, options.samples)
    return 0 if flat(samples, rate) and right else 1


def full_rate(job: Job, readings: Readings) -> int:
    """Visits a second that are processed when more come than that. Bursts would tell twice as much: what happens in one
    moment falls into few windows, and of all changes of a row between two commits only the last is written."""
    rate = FIRST_RATE
    while True:
        job.send(rate)
        time.sleep(SETTLE_S)  # until what was sent before, and the start, are over
        done, began = readings.processed(), time.monotonic()
        time.sleep(MEASURED_S)  # how much is processed in a while is what is measured
        full = int((readings.processed() - done) / (time.monotonic() - began))
        if full < rate * KEPT_UP:
            break
        rate *= 2
    job.send(0)
    wait_for(lambda: readings.lag() < full, "the workers to catch up", seconds=CATCH_UP_S)
    return full


def watch(job: Job, readings: Readings, rate: int, seconds: float, every: float) -> dict[str, list[Sample]]:
    """The hour itself."""
    samples: dict[str, list[Sample]] = defaultdict(list)
    began = time.monotonic()
    job.send(rate)
    while (passed := time.monotonic() - began) < seconds:
        taken = readings.take()
        for what, value in taken.items():
            samples[what].append((passed, value))
        if passed >= (job.changes + 1) * every:
            kind = job.change()
            told = ", ".join(f"{what} {value:,.0f}" for what, value in taken.items() if "threads" not in what)
            print(f"{passed / 60:5.1f} min, a worker {kind}; {told}", flush=True)
        time.sleep(EVERY_S)  # how often is looked
    return samples


def exact(job: Job) -> bool:
    """Whether each visit is counted once in each output, when all windows are closed."""
    sent = job.finish()
    until = time.monotonic() + CATCH_UP_S
    while any(job.counted[output] < sent for output in OUTPUTS) and time.monotonic() < until:
        time.sleep(0.1)
    job.fleet.check()
    for output in OUTPUTS:
        print(f"{sent:,} visits sent, {job.counted[output]:,} counted in {output}")
    print(f"{job.changes} rebalances; longest silence of the outputs {job.longest_silence_s:.1f} s")
    return all(job.counted[output] == sent for output in OUTPUTS)


def flat(samples: dict[str, list[Sample]], rate: int) -> bool:
    """Prints what each quantity did in the last part; whether none of those that count rose."""
    tolerances = {
        "memory": Tolerance(share=0.02, amount=2.0),
        "descriptors": Tolerance(amount=2.0),
        "threads": Tolerance(amount=1.0),
        "disk": Tolerance(share=0.1),
        "lag": Tolerance(share=0.1, amount=rate * 0.1),
    }
    right = True
    print(f"{'over the last ' + format(JUDGED, '.0%'):32} {'median':>10} {'rise':>10}")
    for what, series in samples.items():
        trend = Trend.of([sample for sample in series if sample[0] >= series[-1][0] * (1 - JUDGED)])
        holds = tolerances[what.split()[0]].holds(trend)
        right = right and holds
        print(f"{what:32} {trend.median:>10,.1f} {trend.rise:>+10,.1f} {'' if holds else '  rises'}")
    return right


def write(samples: dict[str, list[Sample]], path: Path) -> None:
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("what", "seconds", "value"))
        rows.writerows((what, round(at, 1), value) for what, series in samples.items() for at, value in series)


if __name__ == "__main__":
    sys.exit(main())
