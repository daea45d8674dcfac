"""Global tables in a running worker: loaded before tasks start, kept up to date, remembered over restarts."""

from __future__ import annotations

import pytest

from streams import App, Json
from streams.errors import ProduceError, SerdeError
from streams.plan.task_id import TaskId
from tests.streams.runtime.bench import Bench, until

TASK = TaskId(0, 0)


def joining(bench: Bench) -> App:
    """Each record of `in` with the row of the global table that its value names."""
    app = App(bench.tag)
    table = app.global_table(bench.name("names"), key=str, value=Json())
    stream = app.stream(bench.name("in"), key=str, value=Json())
    stream.left_join(table, lambda v, name: [v, name], on=lambda k, v: v, value=Json()).to(bench.name("out"))
    return app


def joined(bench: Bench) -> list[bytes | None]:
    return [message.value() for message in bench.read("out")]


def test_worker_joins_with_all_partitions_of_a_table_loaded_before_it_starts(bench: Bench) -> None:
    bench.topics(**{"in": 1, "names": 3, "out": 1})
    bench.produce("names", *[(f"n{i}", b"%d" % i, 0) for i in range(20)], (None, b"0", 0), ("n3", None, 0))
    bench.produce("in", *[("k", b'"n%d"' % i, i) for i in range(5)])
    worker = bench.run(joining(bench), TASK)
    until(lambda: worker.processed() == 5, "the records of before")
    worker.stop()
    assert joined(bench) == [b'["n0",0]', b'["n1",1]', b'["n2",2]', b'["n3",null]', b'["n4",4]']


def test_worker_sees_updates_of_a_global_table_while_it_runs(bench: Bench) -> None:
    bench.topics(**{"in": 1, "names": 2, "out": 1})
    worker = bench.run(joining(bench), TASK)
    until(lambda: worker.running() == {TASK}, "the start")
    bench.produce("names", ("a", b"1", 0))

    def asked_again() -> bool:
        bench.produce("in", ("k", b'"a"', 0))
        return b'["a",1]' in joined(bench)

    until(asked_again, "the update")
    worker.stop()


def test_worker_restarted_goes_on_reading_its_global_tables_where_it_was(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "streams.runtime.global_tables")
    bench.topics(**{"in": 1, "names": 2, "out": 1})
    bench.produce("names", *[(f"n{i}", b"1", 0) for i in range(10)])
    bench.run(joining(bench), TASK).stop()
    bench.produce("names", ("n0", b"2", 0))
    bench.produce("in", ("k", b'"n0"', 0), ("k", b'"n1"', 0))
    second = bench.run(joining(bench), TASK)
    until(lambda: second.processed() == 2, "the records")
    second.stop()
    loaded = [record.getMessage() for record in caplog.records if "global_tables_loaded" in record.getMessage()]
    assert loaded == ["global_tables_loaded: 10 records", "global_tables_loaded: 1 records"]
    assert joined(bench) == [b'["n0",2]', b'["n1",1]']


def test_worker_whose_global_topic_was_made_anew_forgets_the_old_rows(bench: Bench) -> None:
    bench.topics(**{"in": 1, "names": 1, "out": 1})
    bench.produce("names", ("old", b"1", 0), ("both", b"1", 0))
    bench.run(joining(bench), TASK).stop()
    for future in bench.admin.delete_topics([bench.name("names")]).values():
        future.result(10)
    bench.topics(names=1)
    bench.produce("names", ("both", b"2", 0))
    bench.produce("in", ("k", b'"old"', 0), ("k", b'"both"', 0))
    second = bench.run(joining(bench), TASK)
    until(lambda: second.processed() == 2, "the records")
    second.stop()
    assert joined(bench) == [b'["old",null]', b'["both",2]']


def test_worker_with_a_global_record_that_does_not_decode_says_which(bench: Bench) -> None:
    bench.topics(**{"in": 1, "names": 1, "out": 1})
    bench.produce("names", ("a", b"{", 0))
    error = bench.run(joining(bench), TASK, wait=False).failure()
    assert isinstance(error, SerdeError)
    assert error.topic == bench.name("names")


def test_worker_writes_a_dead_letter_for_a_global_record_that_does_not_decode(bench: Bench) -> None:
    """Once for its copy: a worker that goes on with the copy does not meet the record again."""
    bench.topics(**{"in": 1, "names": 1, "out": 1, "dead": 1})
    bench.produce("names", ("a", b"{", 5), ("b", b"2", 6))
    bench.produce("in", ("k", b'"b"', 0))
    for count in (1, 2):
        worker = bench.run(
            joining(bench), TASK, deserialization_handler="dead_letter", dead_letter_topic=bench.name("dead")
        )
        bench.produce("in", ("k", b'"a"', 0))
        until(lambda count=count: len(joined(bench)) == count + 1, "the records")
        worker.stop()
    assert joined(bench)[0] == b'["b",2]'
    assert joined(bench)[-1] == b'["a",null]'
    [letter] = bench.read("dead")
    assert (letter.key(), letter.value(), letter.timestamp()[1]) == (b"a", b"{", 5)
    headers = dict(letter.headers())
    assert headers["__streams.errors.topic"] == bench.name("names").encode()
    assert headers["__streams.errors.offset"] == b"0"


def test_worker_whose_letter_is_refused_does_not_pass_over_the_global_record(bench: Bench) -> None:
    """The position stays before it, so that the next worker asks again."""
    bench.topics(**{"in": 1, "names": 1, "out": 1, "dead": 1})
    bench.produce("names", ("a", b"{" * 30_000, 5))
    options = {"deserialization_handler": "dead_letter", "dead_letter_topic": bench.name("dead")}
    small = {"message.max.bytes": 20_000}
    error = bench.run(joining(bench), TASK, wait=False, producer_config=small, **options).failure()
    assert isinstance(error, ProduceError)
    bench.produce("in", ("k", b'"a"', 0))
    second = bench.run(joining(bench), TASK, **options)
    until(lambda: joined(bench) == [b'["a",null]'], "the record")
    second.stop()
    assert [len(letter.value()) for letter in bench.read("dead")] == [30_000]


def test_worker_forwards_collapsed_updates_at_its_commits(bench: Bench) -> None:
    """With `emit_updates="commit"` the last count comes out, not every one, and nothing is lost at the end."""
    bench.topics(**{"in": 1, "out": 1})
    app = App(bench.tag, emit_updates="commit")
    counts = app.stream(bench.name("in"), key=str, value=Json()).group_by_key().count()
    counts.to_stream().to(bench.name("out"), value=Json())
    bench.produce("in", *[("k", b"1", i) for i in range(1_000)])
    worker = bench.run(app, TASK)
    until(lambda: worker.processed() == 1_000, "the records")
    worker.stop()
    values = joined(bench)
    assert values[-1] == b"1000"
    assert len(values) < 100
