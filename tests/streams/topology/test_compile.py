"""What generated code promises the runtime: limits, failures with their place, full queues, clocks, watermarks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from stores import MemoryTaskState
from streams import App, F, count, hopping, join_window, tumbling
from streams.compile.namespace import Namespace
from streams.compile.program import NO_LIMIT, RecordFailure, TaskBinding, TaskProgram
from streams.observe import Counters
from streams.plan.task_id import TaskId
from streams.testing.message import DriverMessage


class Event(msgspec.Struct):
    user: str
    ts: int


class Watermark:
    """A watermark the test moves by hand; control records are those with a `mark` header."""

    def __init__(self, value: int = NO_LIMIT) -> None:
        self.value = value

    def observe(self, message: Any) -> bool:
        headers = dict(message.headers() or [])
        if "mark" not in headers:
            return False
        self.value = int(headers["mark"])
        return True


class Bench:
    """One compiled task with everything around it in the test's hands."""

    def __init__(self, app: App, subtopology: int = 0, watermark: int = NO_LIMIT, room: int = 2**31) -> None:
        sub = app.plan().subtopologies[subtopology]
        self.sent: list[tuple[str, Any, Any, int]] = []
        self.overflowed = 0
        self.room = room
        self.state = MemoryTaskState.open([store.spec for store in sub.stores])
        self.counters = Counters()
        self.watermark = Watermark(watermark)
        self.program: TaskProgram = sub.program.bind(
            TaskBinding(
                application_id="app",
                task_id=TaskId(subtopology, 0),
                stores={store.name: self.state.store(store.name) for store in sub.stores},
                produce=self.produce,
                produce_full=self.produce_full,
                watermarks={s.topic: self.watermark for s in sub.sources if s.role == "repartition"},
                counters=self.counters,
                wall_clock=lambda: 0,
            )
        )

    def produce(self, topic: str, value: Any, key: Any, partition: int, *rest: Any) -> None:
        if len(self.sent) >= self.room:
            raise BufferError
        self.sent.append((topic, key, value, rest[-2]))

    def produce_full(self, topic: str, value: Any, key: Any, partition: int, *rest: Any) -> None:
        self.overflowed += 1
        self.sent.append((topic, key, value, rest[-2]))

    def run(self, topic: str, messages: Sequence[DriverMessage], start: int = 0, limit: int = NO_LIMIT) -> int:
        return self.program.sources[topic].run(messages, start, len(messages), limit)


def message(value: Any, key: str | None = "k", ts: int = 0, topic: str = "in", headers: Any = None) -> DriverMessage:
    raw = value if value is None or isinstance(value, bytes) else msgspec.json.encode(value)
    return DriverMessage(topic, 0, None if key is None else key.encode(), raw, ts, headers)


def events(*times: int) -> list[DriverMessage]:
    return [message(Event("u", ts), ts=ts) for ts in times]


def passing(**source: Any) -> App:
    app = App("app")
    app.stream("in", key=str, value=Event, **source).filter(F.user != "x").to("out")
    return app


def test_run_stops_before_the_first_record_above_the_limit() -> None:
    bench = Bench(passing(timestamp=F.ts))
    batch = events(1, 2, 9, 3)
    assert bench.run("in", batch, limit=5) == 2
    assert bench.program.sources["in"].max_timestamp == 2
    assert bench.run("in", batch, start=2, limit=9) == 4
    assert [ts for *_, ts in bench.sent] == [1, 2, 9, 3]


def test_run_filtered_records_count_as_progress() -> None:
    bench = Bench(passing())
    bench.run("in", [message(Event("x", 0), ts=77)])
    assert bench.sent == []
    assert bench.program.sources["in"].max_timestamp == 77


def test_head_time_is_found_without_processing() -> None:
    bench = Bench(passing(timestamp=F.ts))
    assert bench.program.sources["in"].head_time(events(42)[0]) == 42
    assert bench.program.sources["in"].head_time(message(None, ts=7)) == 7
    assert bench.sent == []


def test_run_failure_names_index_node_and_kind_and_can_go_on_behind_it() -> None:
    bench = Bench(passing())
    batch = [*events(1), message(b"{broken", ts=2), *events(3)]
    with pytest.raises(RecordFailure) as caught:
        bench.run("in", batch)
    failure = caught.value
    assert (failure.index, failure.kind) == (1, "deserialization")
    assert failure.node is not None
    assert failure.node.label == "in"
    assert bench.run("in", batch, start=failure.index + 1) == 3
    assert [ts for *_, ts in bench.sent] == [1, 3]


def test_run_failure_of_a_function_is_blamed_on_its_operator() -> None:
    app = App("app")
    app.stream("in", key=str, value=Event).map_values(lambda v: v.nothing, name="broken").to("out")
    with pytest.raises(RecordFailure) as caught:
        Bench(app).run("in", events(1))
    assert caught.value.kind == "processing"
    assert caught.value.node is not None
    assert caught.value.node.label == "broken"


def test_run_full_queue_sends_through_the_slow_way() -> None:
    bench = Bench(passing(), room=1)
    bench.run("in", events(1, 2, 3))
    assert len(bench.sent) == 3
    assert bench.overflowed == 2


def test_merge_of_two_branches_of_one_stream_runs_each_record_once_per_way() -> None:
    """What two ways lead to is one function; both ways use the same stores."""
    app = App("app")
    stream = app.stream("in", key=str, value=Event)
    stream.filter(F.ts > 1).merge(stream.filter(F.ts > 2)).group_by_key().count(store="n").to_stream().to("out")
    bench = Bench(app)
    bench.run("in", events(1, 2, 3))
    assert [int.from_bytes(value, "big") for _, _, value, _ in bench.sent] == [1, 2, 3]


def windowed() -> App:
    app = App("app")
    (
        app.stream("in", key=str, value=Event)
        .group_by(F.user)
        .windowed_by(tumbling(timedelta(milliseconds=10), grace=timedelta(0)))
        .aggregate(n=count(), store="n")
        .to_stream()
        .to("out")
    )
    return app


def test_window_behind_repartition_is_not_late_before_the_watermark_says_so() -> None:
    """Records of other upstream tasks run ahead; only the watermark closes windows."""
    bench = Bench(windowed(), 1, watermark=-1)
    topic = "app-n-repartition"
    ahead = [message(Event("u", 0), ts=ts, topic=topic) for ts in (1000, 5)]
    bench.run(topic, ahead)
    assert bench.counters.dropped_late == 0
    assert len(bench.sent) == 2
    mark = message(None, key=None, topic=topic, ts=2000, headers=[("mark", b"20")])
    bench.run(topic, [mark, message(Event("u", 0), ts=6, topic=topic), message(Event("u", 0), ts=25, topic=topic)])
    assert bench.counters.dropped_late == 1
    assert [ts for *_, ts in bench.sent] == [1000, 5, 25]


def test_watermark_record_is_no_data() -> None:
    """A control record does not reach operators and does not count as progress of the source."""
    bench = Bench(windowed(), 1)
    topic = "app-n-repartition"
    bench.run(topic, [message(None, key=None, topic=topic, ts=5000, headers=[("mark", b"20")])])
    assert bench.program.sources[topic].max_timestamp == -1
    assert bench.program.clocks() == {"n": -1}


def test_clocks_survive_a_move_and_never_go_back() -> None:
    first, second = Bench(windowed(), 1), Bench(windowed(), 1)
    first.run("app-n-repartition", [message(Event("u", 0), ts=500)])
    second.program.restore_clocks(first.program.clocks())
    second.program.restore_clocks({"n": 100})
    assert second.program.clocks() == {"n": 500}
    second.run("app-n-repartition", [message(Event("u", 0), ts=489)])
    assert second.counters.dropped_late == 1


def test_hopping_windows_write_each_window_under_its_own_key() -> None:
    app = App("app")
    ms = timedelta(milliseconds=1)
    (
        app.stream("in", key=str, value=Event)
        .group_by_key()
        .windowed_by(hopping(10 * ms, 5 * ms, grace=timedelta(0)))
        .count()
        .to_stream()
        .to("out")
    )
    bench = Bench(app)
    bench.run("in", events(7, 8))
    starts = [int.from_bytes(key[-8:], "big") for _, key, _, _ in bench.sent]
    assert starts == [0, 5, 0, 5]
    assert {key[:-8] for _, key, _, _ in bench.sent} == {b"k"}


def test_projection_decodes_only_the_fields_that_are_read() -> None:
    """With validate_values="read" a field nobody reads may be anything."""
    app = App("app", validate_values="read")
    app.stream("in", key=str, value=Event, timestamp=F.ts).group_by_key().aggregate(n=count()).to_stream().to("out")
    bench = Bench(app)
    bench.run("in", [message(b'{"ts": 5, "user": 17}')])
    assert [ts for *_, ts in bench.sent] == [5]
    whole = App("app")
    whole.stream("in", key=str, value=Event, timestamp=F.ts).group_by_key().aggregate(n=count()).to_stream().to("out")
    with pytest.raises(RecordFailure):
        Bench(whole).run("in", [message(b'{"ts": 5, "user": 17}')])


def test_namespace_names_never_meet() -> None:
    names = Namespace()
    given = [names.fresh(hint) for hint in ("a", "a_2", "a", "kb", "start", "kb_2", "a")]
    assert len(set(given)) == len(given)
    assert "kb" not in given
    assert "start" not in given
    thing = object()
    assert names.bind(thing, "a b!") == names.bind(thing, "other")


def joined_with_table(app: App) -> None:
    users = app.table("users", key=str, value=Event)
    app.stream("in", key=str, value=Event).join(users, lambda event, user: user).to("out")


def joined_with_stream(app: App) -> None:
    others = app.stream("others", key=str, value=Event)
    within = join_window(timedelta(seconds=1), grace=timedelta(0))
    app.stream("in", key=str, value=Event).join(others, lambda one, other: one, windows=within).to("out")


def joined_tables(app: App) -> None:
    users = app.table("users", key=str, value=Event)
    app.table("in", key=str, value=Event).join(users, lambda one, other: one, store="joined").to_stream().to("out")


def counted_again(app: App) -> None:
    windows = tumbling(timedelta(seconds=1), grace=timedelta(0))
    events = app.stream("in", key=str, value=Event)
    events.group_by(F.user).windowed_by(windows).count(store="counts").to_stream().to("out", value=int)


@pytest.mark.parametrize("declare", [joined_with_table, joined_with_stream, joined_tables, counted_again])
def test_key_that_stays_as_it_is_is_neither_read_nor_written_again(declare: Callable[[App], None]) -> None:
    app = App("app")
    declare(app)
    for sub in app.plan().subtopologies:
        words = sub.program.source.split("def build")[1]
        assert "deserialize_String" not in words, words
