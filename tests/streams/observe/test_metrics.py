"""The metrics of a worker that runs, asked over HTTP, against the table that declares them."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
from datetime import timedelta

import pytest
from prometheus_client import REGISTRY, Counter, generate_latest
from prometheus_client import Metric as Family
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families

from streams import App, count, tumbling, until_time_limit
from streams.observe.metrics import METRICS
from streams.plan.task_id import TaskId
from tests.streams.runtime.bench import Bench, RunningWorker, until

SUPPRESSED = "kafka_streams_stream_state_metrics_suppression_buffer_count_max"


def counting(bench: Bench) -> App:
    """Two sub-topologies and stores of every sort that has metrics of its own."""
    app = App(bench.tag)
    app.stream(bench.name("in"), key=str, value=dict).group_by(lambda key, value: value["user"]).windowed_by(
        tumbling(timedelta(hours=1), grace=timedelta(0))
    ).aggregate(n=count(), store="hourly").to_stream().to(bench.name("out"))
    app.table(bench.name("users"), key=str, value=dict, store="users").suppress(
        until_time_limit(timedelta(hours=1)), name="calm"
    ).to_stream().to(bench.name("users-out"))
    return app


def answer(running: RunningWorker, path: str, accept: str = "*/*") -> tuple[int, str, str]:
    """Status, content type and text."""
    request = urllib.request.Request(f"http://{running.worker.endpoint}{path}", headers={"accept": accept})
    try:
        with urllib.request.urlopen(request, timeout=20) as got:
            return got.status, got.headers["content-type"], got.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers["content-type"], error.read().decode()


def families(running: RunningWorker) -> dict[str, Family]:
    return parsed(answer(running, "/metrics")[2])


def parsed(text: str) -> dict[str, Family]:
    """By name; counters with their `_total`."""
    return {
        family.name + ("_total" if family.type == "counter" else ""): family
        for family in text_string_to_metric_families(text)
    }


def value(found: dict[str, Family], name: str, **labels: str) -> float:
    """The one sample of that name with these labels among its own."""
    values = [
        sample.value
        for sample in found[name].samples
        if sample.name == name and labels.items() <= sample.labels.items()
    ]
    assert len(values) == 1, (name, labels, values)
    return values[0]


@pytest.fixture
def running(bench: Bench) -> RunningWorker:
    bench.topics(**{"in": 1, "users": 1, "out": 1, "users-out": 1})
    app = counting(bench)
    tasks = bench.partition_plan(app, **{"in": 1, "users": 1}).tasks
    bench.produce("in", *[(f"k{i}", json.dumps({"user": f"u{i % 3}"}).encode(), 1_000 + i) for i in range(20)])
    bench.produce("users", *[(f"u{i}", b'{"name": "Ann"}', 1_000) for i in range(3)])
    running = bench.run_in_group(app, query_port=0)
    until(lambda: running.running() == frozenset(tasks), "its tasks")
    until(lambda: running.processed() >= 43, "20 records twice, and 3")
    until(lambda: sum(t.meters.commit.total > 0 for t in running.worker._thread.tasks.open()) == 3, "commits")  # type: ignore[union-attr]
    until(lambda: families(running)[SUPPRESSED].samples, "a measurement")
    return running


def test_metrics_of_a_live_worker_are_those_that_are_declared(running: RunningWorker) -> None:
    """Each with its kind and its help, a sample at least, and the declared labels; and nothing else is exposed."""
    of_the_process = parsed(generate_latest(REGISTRY).decode()).keys()
    found = {name: family for name, family in families(running).items() if name not in of_the_process}
    assert found.keys() == {metric.name for metric in METRICS}
    for metric in METRICS:
        family = found[metric.name]
        assert family.type == metric.kind, metric.name
        assert family.documentation.startswith(metric.help), metric.name
        samples = [sample for sample in family.samples if sample.name == metric.name]
        if metric.name.startswith("headrace_standby_"):
            assert not samples  # nothing stands by in a worker that is alone; `test_health` has one that is not
            continue
        assert samples, f"{metric.name} has no sample"
        for sample in samples:
            assert sample.labels.keys() == set(metric.labels)
        labels = [tuple(sorted(sample.labels.items())) for sample in samples]
        assert len(set(labels)) == len(labels), f"{metric.name} has a series twice"


def test_metrics_count_what_was_processed(running: RunningWorker, bench: Bench) -> None:
    until(lambda: value(families(running), SUPPRESSED) == 3, "a measurement after the last record")
    found = families(running)
    prefix = "kafka_streams_stream"
    assert value(found, f"{prefix}_metrics_client_state") == 2
    assert value(found, f"{prefix}_thread_metrics_process_total") >= 43
    assert value(found, f"{prefix}_topic_metrics_records_consumed_total", topic=bench.name("in")) == 20
    assert value(found, f"{prefix}_processor_node_metrics_process_total", topic=bench.name("users")) == 3
    assert value(found, f"{prefix}_processor_node_metrics_record_e2e_latency_avg", topic=bench.name("in")) > 1e12
    assert value(found, "headrace_tasks", state="running") == 3
    assert value(found, f"{prefix}_state_metrics_estimate_num_keys", store="users") == 3
    assert sum(s.value for s in found[f"{prefix}_task_metrics_cache_size_bytes_total"].samples) > 0
    assert value(found, "kafka_producer_producer_metrics_txn_commit_time_ns_total") > 0
    assert value(found, f"{prefix}_thread_metrics_blocked_time_ns_total") > 0
    for metric in ("process_latency_avg", "commit_latency_max", "poll_rate", "process_records_max"):
        assert value(found, f"{prefix}_thread_metrics_{metric}") > 0, metric


def test_lag_is_what_is_not_processed(running: RunningWorker, bench: Bench) -> None:
    def lag() -> float:
        name = "kafka_consumer_consumer_fetch_manager_metrics_records_lag"
        return value(families(running), name, topic=bench.name("in"))

    until(lambda: lag() == 0, "the worker to have caught up")
    thread = running.worker._thread
    assert thread is not None
    buffer = next(b for place, b in thread._router.buffers.items() if place == (bench.name("in"), 0))
    position = buffer.position()
    assert position is not None
    buffer.at_end, buffer.meters.end = False, position + 7
    assert buffer.lag() == 7


def test_metrics_in_openmetrics_for_those_who_ask(running: RunningWorker) -> None:
    status, kind, text = answer(running, "/metrics", "application/openmetrics-text; version=1.0.0")
    assert status == 200
    assert kind.startswith("application/openmetrics-text")
    names = {family.name for family in parse_openmetrics(text)}
    assert "kafka_streams_stream_thread_metrics_process_rate" in names


def test_metrics_have_those_of_the_users_own_program(running: RunningWorker) -> None:
    """What a function of the application counts with prometheus_client is scraped at the same place."""
    orders = Counter("shop_orders", "Orders that were taken.")
    try:
        orders.inc(3)
        assert value(families(running), "shop_orders_total") == 3
    finally:
        REGISTRY.unregister(orders)


def test_dropped_and_late_records_are_measured(bench: Bench) -> None:
    bench.topics(**{"in": 1, "out": 1})
    app = App(bench.tag)
    app.stream(bench.name("in"), key=str, value=dict).group_by_key().count(store="n").to_stream().to(bench.name("out"))
    bench.produce("in", ("a", b"{}", 50_000), (None, b"{}", 50_000), (None, b"{}", 20_000))
    running = bench.run(app, TaskId.parse("0_0"), query_port=0)
    name = "kafka_streams_stream_task_metrics_{}"
    until(lambda: value(families(running), name.format("dropped_records_total"), task_id="0_0") == 2)
    found = families(running)
    assert value(found, "headrace_task_dropped_null_key_total", task_id="0_0") == 2
    assert value(found, name.format("record_lateness_max"), task_id="0_0") == 30_000
    assert value(found, name.format("dropped_records_rate"), task_id="0_0") > 0


def test_declared_names_are_prometheus_names_and_units_are_told() -> None:
    names = [metric.name for metric in METRICS]
    assert len(set(names)) == len(names)
    for metric in METRICS:
        assert re.fullmatch(r"[a-z][a-z0-9_]*", metric.name)
        assert metric.kind == "gauge" or metric.name.endswith("_total")
        assert metric.help.endswith(".")


def test_scrape_while_tasks_come_and_go_never_fails(bench: Bench) -> None:
    """Readings are made on another thread than what they read."""
    from streams.observe.exposition import Exposition
    from streams.runtime.membership import Revoked

    bench.topics(**{"in": 2, "out": 1})
    app = App(bench.tag)
    app.stream(bench.name("in"), key=str, value=dict).group_by_key().count(store="n").to_stream().to(bench.name("out"))
    both = [TaskId.parse("0_0"), TaskId.parse("0_1")]
    running = bench.run(app, *both)
    exposition = Exposition(running.worker)
    for _ in range(5):
        running.membership.push(Revoked(frozenset({both[1]})))
        until(lambda: exposition.answer("")[0] and running.running() == frozenset(both[:1]))
        running.membership.assign(*both)
        until(lambda: exposition.answer("")[0] and running.running() == frozenset(both))
    running.stop()
    assert 'state="running"} 0.0' in exposition.answer("")[0].decode()
