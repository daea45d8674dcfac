"""`headrace bench`: what this machine can do."""

from __future__ import annotations

import tempfile
import threading
import time
from contextlib import ExitStack
from pathlib import Path

import click
import msgspec

from streams.cli.failures import CommandFailed
from streams.cli.options import json_option
from streams.cli.terminal import print_table, talk
from streams.discovery import BrokerLocation

PATIENCE_S = 300.0
LOOK_S = 0.02


@click.command(short_help="Measure what this machine can do.")
@click.option("--events", type=click.IntRange(min=10_000), default=500_000, show_default=True)
@click.option("--partitions", type=click.IntRange(min=1, max=64), default=4, show_default=True)
@json_option
def bench(events: int, partitions: int, as_json: bool) -> None:
    """Measure what this machine can do: two small jobs, exactly once, on a broker of their own.

    filter: JSON in, half of the records rewritten to JSON. windows: counts and sums of 1,000 keys in windows of ten
    seconds, every update out. Broker, client and worker share the machine; nothing is left behind.

    \b
    headrace bench
    headrace bench --events 2000000 --json
    """
    from broker import Broker
    from streams.demo.throughput import JOBS

    with tempfile.TemporaryDirectory() as directory, Broker(data=Path(directory) / "broker") as broker:
        location = BrokerLocation.bundled(broker.bootstrap_servers)
        talk(f"loading {events:,} events")
        loading = _load(location, events, partitions)
        rows = [("load", loading)]
        rows += [(job, _measure(location, job, events, Path(directory))) for job in JOBS]
    if as_json:
        for job, rate in rows:
            click.echo(msgspec.json.encode({"job": job, "records_per_second": round(rate)}))
    else:
        print_table(("JOB", "RECORDS/S"), [(job, f"{rate:,.0f}") for job, rate in rows], right=("RECORDS/S",))


def _load(location: BrokerLocation, events: int, partitions: int) -> float:
    from streams.cli.clients import admin_at, producer
    from streams.demo.throughput import JOBS, TOPIC, payments

    for topic in (TOPIC, *JOBS):
        admin_at(location).create_topic(topic, partitions=partitions, configs={"retention.ms": "-1"})
    client = producer(location, **{"linger.ms": 20, "queue.buffering.max.messages": 1_000_000})
    encode = msgspec.json.Encoder().encode
    began = time.monotonic()
    for number, payment in enumerate(payments(events)):
        client.produce(TOPIC, encode(payment), payment.user, timestamp=payment.ts)
        if number % 10_000 == 0:
            client.poll(0)
    if client.flush(60):
        raise CommandFailed("the broker did not take all events within a minute")
    return events / (time.monotonic() - began)


def _measure(location: BrokerLocation, job: str, events: int, directory: Path) -> float:
    """Input records per second, from the moment the tasks run to the commit of the last record."""
    from streams.cli.clients import admin_at
    from streams.demo.throughput import application
    from streams.runtime.listener import Silent
    from streams.runtime.phase import WorkerState

    running = threading.Event()

    class Listener(Silent):
        def on_state(self, before: WorkerState, after: WorkerState) -> None:
            if after is WorkerState.RUNNING:
                running.set()

    app = application(job, directory / "state")
    worker = app.worker(bootstrap_servers=location.bootstrap_servers, listener=Listener())
    admin = admin_at(location)
    failures: list[BaseException] = []

    def run() -> None:
        try:
            worker.run()
        except BaseException as error:
            failures.append(error)
        finally:
            running.set()

    def committed() -> int:
        if failures:
            raise CommandFailed(f"the worker failed: {failures[0]}") from failures[0]
        return sum(admin.committed(app.settings.application_id).values())

    with ExitStack() as stack:
        thread = threading.Thread(target=run, name=f"bench-{job}")
        thread.start()
        stack.callback(thread.join)
        stack.callback(worker.stop)
        running.wait(PATIENCE_S)
        began = time.monotonic()
        while (count := committed()) < events:
            if time.monotonic() - began > PATIENCE_S:
                raise CommandFailed(f"only {count:,} of {events:,} records after {PATIENCE_S:.0f} s")
            time.sleep(LOOK_S)
        return events / (time.monotonic() - began)
