"""Which partition a record goes to: as its key says, as its windowed key's key says, as a partitioner says."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest

from stores import MemoryTaskState
from streams import App, session, tumbling
from streams.compile.program import NO_LIMIT, RecordFailure, TaskBinding
from streams.observe import Counters
from streams.partitioner import MOST_KEYS, KeyPartitions, partition_for_key
from streams.plan.task_id import TaskId
from streams.testing.message import DriverMessage

COUNTS = {"out": 7, "left": 5, "right": 11, "app-through-repartition": 3}


def sent_by(app: App, *records: tuple[str | None, str]) -> list[tuple[str, bytes | None, int]]:
    """(topic, key, partition) of what the first task sends; records are strings of topic `in`, a second apart."""
    sub = app.plan().subtopologies[0]
    sent: list[tuple[str, bytes | None, int]] = []

    def produce(topic: str, value: Any, key: Any, partition: int, *rest: Any) -> None:
        sent.append((topic, key, partition))

    state = MemoryTaskState.open([store.spec for store in sub.stores])
    program = sub.program.bind(
        TaskBinding(
            application_id="app",
            task_id=TaskId(0, 0),
            stores={store.name: state.store(store.name) for store in sub.stores},
            produce=produce,
            produce_full=produce,
            watermarks={},
            counters=Counters(),
            wall_clock=lambda: 0,
            partitions=COUNTS.__getitem__,
        )
    )
    messages = [
        DriverMessage("in", at, None if key is None else key.encode(), value.encode(), at * 1000, None)
        for at, (key, value) in enumerate(records)
    ]
    program.sources["in"].run(messages, 0, len(messages), NO_LIMIT)
    program.flush()
    return sent


def strings(app: App) -> Any:
    return app.stream("in", key=str, value=str)


def test_sink_without_a_partitioner_leaves_it_to_the_client() -> None:
    app = App("app")
    strings(app).to("out")
    assert sent_by(app, ("a", "1"), (None, "2")) == [("out", b"a", -1), ("out", None, -1)]


def test_partitioner_of_a_sink_is_given_topic_key_value_and_count() -> None:
    app, asked = App("app"), list[Any]()

    def choose(topic: str, key: str, value: str, count: int) -> int:
        asked.append((topic, key, value, count))
        return int(value) % count

    strings(app).to("out", partitioner=choose)
    assert [place for *_, place in sent_by(app, ("a", "5"), (None, "9"))] == [5, 2]
    assert asked == [("out", "a", "5", 7), ("out", None, "9", 7)]


@pytest.mark.parametrize(("told", "places"), [(None, [-1]), ((), []), ((1, 3), [1, 3]), ({6}, [6])])
def test_partitioner_may_give_none_several_or_the_usual_one(told: Iterable[int] | None, places: list[int]) -> None:
    app = App("app")
    strings(app).to("out", partitioner=lambda topic, key, value, count: told)
    assert [place for *_, place in sent_by(app, ("a", "1"))] == places


@pytest.mark.parametrize(
    ("told", "kind", "message"),
    [
        (7, ValueError, "the partitioner gave partition 7, and 'out' has 7: 0 to 6"),
        (-1, ValueError, "gave partition -1"),
        (("1",), TypeError, "a partitioner gives an int, several or None"),
        (True, TypeError, "a partitioner gives an int, several or None"),
    ],
)
def test_partitioner_that_gives_no_partition_fails_its_record(told: Any, kind: type[Exception], message: str) -> None:
    app = App("app")
    strings(app).to("out", partitioner=lambda topic, key, value, count: told)
    with pytest.raises(RecordFailure) as failed:
        sent_by(app, ("a", "1"))
    assert (failed.value.kind, type(failed.value.cause)) == ("processing", kind)
    assert message in str(failed.value.cause)


def test_partitioner_with_a_topic_of_each_record_is_told_that_topic() -> None:
    app = App("app")
    strings(app).to(
        lambda key, value: "left" if value < "5" else "right", partitioner=lambda topic, key, value, count: count - 1
    )
    assert sent_by(app, ("a", "1"), ("a", "9")) == [("left", b"a", 4), ("right", b"a", 10)]


def test_partitioner_of_a_repartition_places_what_has_a_key() -> None:
    app = App("app")
    through = strings(app).repartition(name="through", partitions=3, partitioner=lambda topic, key, value, count: 2)
    through.to("out")
    assert sent_by(app, ("a", "1"), (None, "2")) == [("app-through-repartition", b"a", 2)]


def windows(key: str, count: int) -> list[tuple[str, str]]:
    return [(key, str(number)) for number in range(count)]


@pytest.mark.parametrize(
    "of", [tumbling(timedelta(seconds=1), grace=timedelta(0)), session(timedelta(0), grace=timedelta(0))]
)
@pytest.mark.parametrize("each", [False, True])
def test_windowed_keys_lie_where_their_key_does(of: Any, each: bool) -> None:
    """All windows of a key are on one partition, in their order. Source: `WindowedStreamPartitioner`."""
    app = App("app")
    counts = strings(app).group_by_key().windowed_by(of).count(store="counts").to_stream()
    counts.to((lambda key, value: "out") if each else "out")
    sent = sent_by(app, *windows("left", 4), *windows("right", 4))
    assert len({key for _, key, _ in sent}) >= 8
    for _, key, place in sent:
        assert key is not None
        assert place == partition_for_key(b"left" if key.startswith(b"left") else b"right", 7)


def test_key_partitions_forget_when_they_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    known = KeyPartitions("t", lambda topic: 4)
    keys = [str(number).encode() for number in range(MOST_KEYS + 10)]
    assert [known[key] for key in keys[:100]] == [partition_for_key(key, 4) for key in keys[:100]]
    for key in keys:
        known.setdefault(key, 0)
    assert known[b"another"] == partition_for_key(b"another", 4)
    assert len(known) < MOST_KEYS
