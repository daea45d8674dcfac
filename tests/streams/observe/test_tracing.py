"""Traces through an application, as OpenTelemetry's own SDK collects them."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from streams import App, Context, F, count, tumbling
from streams.compile.program import NO_LIMIT, Message, SourceRun
from streams.errors import ConfigError, ProcessingError
from streams.graph.node import Node
from streams.observe.tracing import Tracing
from streams.plan.task_id import TaskId
from streams.runtime.watermark import WATERMARK_HEADER
from streams.testing import TopologyTestDriver
from streams.testing.message import DriverMessage
from tests.streams.runtime.bench import Bench, until

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = ("traceparent", f"00-{TRACE}-b7ad6b7169203331-01".encode())
NOT_SAMPLED = ("traceparent", f"00-{TRACE}-b7ad6b7169203331-00".encode())


@pytest.fixture(scope="module")
def collected() -> InMemorySpanExporter:
    """Where the spans of this process go: a provider can be set once."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    return exporter


@pytest.fixture
def spans(collected: InMemorySpanExporter) -> Iterator[InMemorySpanExporter]:
    collected.clear()
    yield collected
    collected.clear()


def by_name(spans: InMemorySpanExporter) -> dict[str, ReadableSpan]:
    found = {span.name: span for span in spans.get_finished_spans()}
    assert len(found) == len(spans.get_finished_spans()), "a span twice"
    return found


def hex_of(span: ReadableSpan) -> tuple[str, str]:
    assert span.context is not None
    return format(span.context.trace_id, "032x"), format(span.context.span_id, "016x")


def orders(**settings: Any) -> App:
    app = App("shop", **settings)
    app.stream("orders", key=str, value=dict).filter(F.cents > 0).to("paid")
    return app


def test_context_of_a_record_goes_on_with_what_comes_of_it(spans: InMemorySpanExporter) -> None:
    """One trace: the sender's span, ours that processes, ours that sends; the last one is in the header."""
    with TopologyTestDriver(orders(tracing=True)) as driver:
        headers = [("shop", b"x"), PARENT]
        driver.input_topic("orders", value=bytes).pipe(b'{"cents": 1}', key="k", headers=headers)
        (paid,) = driver.output_topic("paid").read_all()
    process, send = by_name(spans)["process orders"], by_name(spans)["send paid"]
    assert process.parent is not None
    assert format(process.parent.span_id, "016x") == "b7ad6b7169203331"
    assert send.parent is not None
    assert send.parent.span_id == process.get_span_context().span_id  # type: ignore[union-attr]
    assert paid.headers == [("shop", b"x"), ("traceparent", "00-{}-{}-01".format(*hex_of(send)).encode())]
    assert hex_of(send)[0] == TRACE


def test_spans_follow_the_messaging_conventions(spans: InMemorySpanExporter) -> None:
    with TopologyTestDriver(orders(tracing=True)) as driver:
        driver.input_topic("orders").pipe({"cents": 1}, key="k")
    process, send = by_name(spans)["process orders"], by_name(spans)["send paid"]
    assert (process.kind, send.kind) == (SpanKind.CONSUMER, SpanKind.PRODUCER)
    assert process.parent is None, "a record without context begins a trace"
    assert dict(process.attributes or {}) == {
        "messaging.system": "kafka",
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.destination.name": "orders",
        "messaging.destination.partition.id": "0",
        "messaging.consumer.group.name": "shop",
        "messaging.kafka.offset": 0,
        "messaging.kafka.message.key": "k",
        "headrace.task": "0_0",
    }
    assert dict(send.attributes or {}) == {
        "messaging.system": "kafka",
        "messaging.operation.name": "send",
        "messaging.operation.type": "send",
        "messaging.destination.name": "paid",
        "messaging.kafka.message.key": "k",
    }


def test_trace_goes_through_a_repartition_topic(spans: InMemorySpanExporter) -> None:
    app = App("shop", tracing=True)
    stream = app.stream("orders", key=str, value=dict).group_by(lambda key, value: value["user"])
    stream.count(store="n").to_stream().to("counts")
    with TopologyTestDriver(app) as driver:
        driver.input_topic("orders").pipe({"user": "ann"}, key="k", headers=[PARENT])
        (counted,) = driver.output_topic("counts").read_all()
    found = by_name(spans)
    (repartition,) = [name.removeprefix("send ") for name in found if name.endswith("-repartition") and "send" in name]
    chain = ["process orders", f"send {repartition}", f"process {repartition}", "send counts"]
    assert found.keys() == set(chain)
    for above, below in pairwise(chain):
        parent = found[below].parent
        assert parent is not None
        assert parent.span_id == found[above].get_span_context().span_id  # type: ignore[union-attr]
    assert counted.headers[-1][1].split(b"-")[1].decode() == TRACE


def test_unsampled_context_is_passed_on_without_spans(spans: InMemorySpanExporter) -> None:
    with TopologyTestDriver(orders(tracing=True)) as driver:
        driver.input_topic("orders").pipe({"cents": 1}, key="k", headers=[NOT_SAMPLED])
        (paid,) = driver.output_topic("paid").read_all()
    assert spans.get_finished_spans() == ()
    ((name, value),) = paid.headers
    assert (name, value[:35], value[-3:]) == ("traceparent", NOT_SAMPLED[1][:35], b"-00")


def test_spans_of_the_users_function_are_children(spans: InMemorySpanExporter) -> None:
    def look_up(value: dict[str, Any]) -> dict[str, Any]:
        with trace.get_tracer("shop").start_as_current_span("look up"):
            return value

    app = App("shop", tracing=True)
    app.stream("orders", key=str, value=dict).map_values(look_up).to("out")
    with TopologyTestDriver(app) as driver:
        driver.input_topic("orders").pipe({}, key="k")
    found = by_name(spans)
    assert found["look up"].parent is not None
    assert found["look up"].parent.span_id == found["process orders"].get_span_context().span_id  # type: ignore[union-attr]


def test_failed_record_is_an_error_that_names_the_operator(spans: InMemorySpanExporter) -> None:
    def fail(value: dict[str, Any]) -> dict[str, Any]:
        raise KeyError("cents")

    app = App("shop", tracing=True)
    app.stream("orders", key=str, value=dict).map_values(fail, name="pricing").to("out")
    with TopologyTestDriver(app) as driver, pytest.raises(ProcessingError):
        driver.input_topic("orders").pipe({}, key="k")
    (span,) = spans.get_finished_spans()
    assert span.status.status_code is StatusCode.ERROR
    assert (span.attributes or {})["error.type"] == "KeyError"
    assert (span.attributes or {})["headrace.node"] == "pricing"
    assert [event.name for event in span.events] == ["exception"]


def test_skipped_record_is_an_error_and_the_next_is_not(spans: InMemorySpanExporter) -> None:
    app = App("shop", tracing=True, deserialization_handler="continue")
    app.stream("orders", key=str, value=dict).to("out")
    with TopologyTestDriver(app) as driver:
        driver.input_topic("orders", value=bytes).pipe(b"{", key="k")
        driver.input_topic("orders").pipe({}, key="k")
    codes = [span.status.status_code for span in spans.get_finished_spans() if span.name == "process orders"]
    assert codes == [StatusCode.ERROR, StatusCode.UNSET]


def test_what_comes_at_the_commit_keeps_its_headers(spans: InMemorySpanExporter) -> None:
    """No record is being processed then, so there is no span to tell of."""
    app = App("shop", tracing=True, emit_updates="commit")
    app.stream("orders", key=str, value=dict).group_by_key().count(store="n").to_stream().to("counts")
    with TopologyTestDriver(app) as driver:
        driver.input_topic("orders").pipe({}, key="k", headers=[PARENT])
        assert [record.value for record in driver.output_topic("counts").read_all()] == [1]
    assert [span.name for span in spans.get_finished_spans()] == ["process orders"]


def test_application_without_tracing_runs_the_generated_functions_themselves() -> None:
    """Nothing is in the way, and headers go through as they are."""
    with TopologyTestDriver(orders()) as driver:
        program = driver._tasks[0]._program
        assert program.sources["orders"].run.__code__.co_filename.startswith("<headrace")  # type: ignore[attr-defined]
        driver.input_topic("orders").pipe({"cents": 1}, key="k", headers=[PARENT])
        (paid,) = driver.output_topic("paid").read_all()
    assert paid.headers == [PARENT]


def test_generated_code_is_the_same_with_and_without_tracing() -> None:
    sources = [[sub.program.source for sub in orders(tracing=on).plan().subtopologies] for on in (True, False)]
    assert sources[0] == sources[1]


def test_tracing_without_opentelemetry_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    with pytest.raises(ConfigError, match=r"pip install 'headrace\[otel\]'"):
        TopologyTestDriver(orders(tracing=True))


def test_environment_switches_tracing_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADRACE_TRACING", "true")
    assert App("shop").settings.tracing is True


class Recording:
    """A source whose run function writes down what it was called with; it processes all that it may."""

    def __init__(self) -> None:
        self.ran: list[int] = []
        node = Node(label="source", origin=None, schema=None)  # type: ignore[arg-type, call-arg]
        self.source = SourceRun(node, self.run, lambda message: message.timestamp()[1])
        program: Any = type("Program", (), {"sources": {"t": self.source}})()
        assert isinstance(program, object)
        Tracing("shop").follow(TaskId(0, 0), program)

    def run(self, messages: Sequence[Message], start: int, end: int, limit: int) -> int:
        for index in range(start, end):
            if messages[index].timestamp()[1] > limit:
                return index
            self.ran.append(index)
        return end


def message(timestamp: int, *, control: bool = False) -> DriverMessage:
    headers: list[tuple[str, bytes | None]] | None = [(WATERMARK_HEADER, b"")] if control else None
    return DriverMessage("t", 0, None, None if control else b"{}", timestamp, headers)


def test_traced_run_ends_where_another_input_is_older(spans: InMemorySpanExporter) -> None:
    """A record beyond the limit is neither run nor traced: it comes again."""
    recording = Recording()
    messages = [message(10), message(20), message(30)]
    assert recording.source.run(messages, 0, 3, 20) == 2
    assert recording.ran == [0, 1]
    assert len(spans.get_finished_spans()) == 2
    assert recording.source.run(messages, 2, 3, NO_LIMIT) == 3


def test_watermarks_have_no_spans(spans: InMemorySpanExporter) -> None:
    recording = Recording()
    assert recording.source.run([message(10), message(11, control=True), message(12)], 0, 3, NO_LIMIT) == 3
    assert recording.ran == [0, 1, 2]
    assert len(spans.get_finished_spans()) == 2
    assert recording.source.run([message(30, control=True)], 0, 1, 20) == 0


def test_full_queue_is_one_span(spans: InMemorySpanExporter) -> None:
    sent: list[str] = []

    def full(*record: Any) -> None:
        raise BufferError

    def waits(*record: Any) -> None:
        sent.append(record[0])

    produce = Tracing("shop").produce(full, waits)
    with trace.get_tracer("shop").start_as_current_span("process x"):
        produce("out", b"v", None, -1, None, None, 0, None)
    assert sent == ["out"]
    assert sorted(span.name for span in spans.get_finished_spans()) == ["process x", "send out"]


def test_worker_traces_every_record_once(bench: Bench, spans: InMemorySpanExporter) -> None:
    """With batches, partitions, watermarks and transactions: the results are those of an untraced worker."""
    bench.topics(**{"in": 2, "out": 1})
    app = App(bench.tag, tracing=True)

    def seen(key: str, value: dict[str, Any], context: Context) -> str:
        return value["user"]

    windowed = app.stream(bench.name("in"), key=str, value=dict).group_by(seen)
    windowed.windowed_by(tumbling(timedelta(hours=1), grace=timedelta(0))).aggregate(
        n=count(), store="n"
    ).to_stream().to(bench.name("out"))
    bench.produce("in", *[(f"k{i}", json.dumps({"user": f"u{i % 3}"}).encode(), 1_000 + i) for i in range(60)])
    running = bench.run_in_group(app, tracing=True)
    until(lambda: running.processed() == 120, "60 records, each twice")
    running.stop()
    done = [span for span in spans.get_finished_spans() if span.name.startswith("process ")]
    places = [(span.attributes or {})["messaging.destination.name"] for span in done]
    assert places.count(bench.name("in")) == 60
    assert len(places) == 120
    counted = [json.loads(record.value()) for record in bench.read("out")]
    assert sorted(each["n"] for each in counted) == sorted([*range(1, 21)] * 3)
    traces = {hex_of(span)[0] for span in done}
    assert len(traces) == 60, "a trace goes from the input to the end"
    assert all(record.headers()[-1][0] == "traceparent" for record in bench.read("out"))
