"""The worker on a real log, with the membership directed by the test."""

from __future__ import annotations

import json
import shutil
import time
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import OffsetSpec

from streams import App, F, count
from streams.errors import ProcessingError, SerdeError, StreamsError, TopologyError
from streams.plan.task_id import TaskId
from streams.runtime.membership import Assigned, CommitFailedError, CommittedOffset, Lost, Revoked
from streams.runtime.partition_time import decode_partition_time
from streams.runtime.phase import WorkerState
from tests.streams.runtime.bench import Bench, until


def task(text: str) -> TaskId:
    return TaskId.parse(text)


def counting(bench: Bench) -> App:
    """Counts the records of each key."""
    app = App(bench.tag)
    app.stream(bench.name("in"), key=str, value=dict).group_by_key().count(store="counts").to_stream().to(
        bench.name("out")
    )
    return app


def numbered(first: int, count: int, keys: int = 5) -> list[tuple[str, bytes, int]]:
    return [(f"k{i % keys}", b"{}", 1_000 + i) for i in range(first, first + count)]


def counts(bench: Bench) -> dict[str, int]:
    return {key: int.from_bytes(value or b"", "big") for key, value in bench.latest("out").items()}


def test_worker_processes_and_commits_what_it_read(bench: Bench) -> None:
    bench.topics(**{"in": 2, "out": 2})
    bench.produce("in", *numbered(0, 100))
    worker = bench.run(counting(bench), task("0_0"), task("0_1"))
    until(lambda: worker.processed() == 100, "100 records")
    worker.stop()
    assert counts(bench) == {f"k{i}": 20 for i in range(5)}
    committed = {place: offset for place, offset in bench.offsets.items() if place[0] == bench.name("in")}
    assert sum(offset.offset for offset in committed.values()) == 100
    assert max(decode_partition_time(offset.metadata) for offset in committed.values()) == 1_099
    assert worker.heard.states == [
        WorkerState.REBALANCING, WorkerState.RUNNING, WorkerState.PENDING_SHUTDOWN, WorkerState.NOT_RUNNING,
    ]  # fmt: skip
    assert worker.membership.stopped_with_leave is True


def test_worker_restarted_in_place_goes_on_without_restoring(bench: Bench) -> None:
    """A clean close records the changelog position exactly."""
    bench.topics(**{"in": 1, "out": 1})
    bench.produce("in", *numbered(0, 50))
    first = bench.run(counting(bench), task("0_0"))
    until(lambda: first.processed() == 50, "the first half")
    first.stop()
    bench.produce("in", *numbered(50, 50))
    second = bench.run(counting(bench), task("0_0"))
    until(lambda: second.processed() == 50, "the second half")
    second.stop()
    assert second.heard.restored[task("0_0"), "counts"] == 0
    assert counts(bench) == {f"k{i}": 20 for i in range(5)}


def test_worker_restarted_elsewhere_restores_from_the_changelog(bench: Bench) -> None:
    bench.topics(**{"in": 1, "out": 1})
    bench.produce("in", *numbered(0, 50))
    first = bench.run(counting(bench), task("0_0"), directory="here")
    until(lambda: first.processed() == 50, "the first half")
    first.stop()
    bench.produce("in", *numbered(50, 50))
    second = bench.run(counting(bench), task("0_0"), directory="there")
    until(lambda: second.processed() == 50, "the second half")
    second.stop()
    assert second.heard.restored[task("0_0"), "counts"] >= 5
    assert counts(bench) == {f"k{i}": 20 for i in range(5)}


def test_worker_crashed_and_restarted_loses_nothing_and_state_fits_offsets(bench: Bench) -> None:
    """After a crash the local rows are those of the committed offsets, so counts are exact."""
    bench.topics(**{"in": 1, "out": 1})
    bench.produce("in", *numbered(0, 50))
    first = bench.run(counting(bench), task("0_0"))
    until(lambda: bench.offsets.get((bench.name("in"), 0)) is not None, "a commit")
    until(lambda: bench.offsets[bench.name("in"), 0].offset == 50, "the commit of all")
    bench.produce("in", *numbered(50, 25))
    first.crash()
    bench.produce("in", *numbered(75, 25))
    second = bench.run(counting(bench), task("0_0"))
    until(lambda: bench.offsets[bench.name("in"), 0].offset == 100, "the commit of all")
    second.stop()
    assert counts(bench) == {f"k{i}": 20 for i in range(5)}


def test_worker_commit_refused_keeps_state_and_offsets_together(bench: Bench) -> None:
    """A retriable refusal: the next commit carries all of it."""
    bench.topics(**{"in": 1, "out": 1})
    worker = bench.run(counting(bench), task("0_0"))
    worker.membership.commit_errors += [CommitFailedError("not now", retriable=True)] * 2
    bench.produce("in", *numbered(0, 50))
    until(lambda: bench.offsets.get((bench.name("in"), 0)) is not None, "a commit that is taken")
    worker.crash()
    again = bench.run(counting(bench), task("0_0"))
    bench.produce("in", *numbered(50, 50))
    until(lambda: bench.offsets[bench.name("in"), 0].offset == 100, "the commit of all")
    again.stop()
    assert counts(bench) == {f"k{i}": 20 for i in range(5)}


def test_worker_fenced_at_commit_drops_its_tasks_and_processes_again(bench: Bench) -> None:
    """Somebody else owns them: no offset may be written. What has reached the changelog counts again: at least once."""
    bench.topics(**{"in": 1, "out": 1})
    worker = bench.run(counting(bench), task("0_0"))
    worker.membership.commit_errors.append(CommitFailedError("generation 7 is over", fenced=True))
    bench.produce("in", *numbered(0, 50))
    until(lambda: worker.running() == frozenset(), "the tasks to be dropped")
    assert bench.offsets == {}
    worker.membership.assign(task("0_0"))
    until(lambda: bench.offsets.get((bench.name("in"), 0)) is not None, "a commit")
    worker.stop()
    assert worker.processed() == 100
    assert all(10 <= count <= 20 for count in counts(bench).values())


def test_worker_tasks_lost_are_dropped_and_taken_up_again(bench: Bench) -> None:
    bench.topics(**{"in": 1, "out": 1})
    worker = bench.run(counting(bench), task("0_0"))
    worker.membership.push(Lost("the session has timed out"))
    until(lambda: worker.running() == frozenset(), "the tasks to be dropped")
    assert worker.worker.state is WorkerState.REBALANCING or until(
        lambda: worker.worker.state is WorkerState.REBALANCING, "REBALANCING"
    )
    bench.produce("in", *numbered(0, 50))
    worker.membership.assign(task("0_0"))
    until(lambda: worker.processed() == 50, "50 records")
    worker.stop()


def test_worker_task_moves_between_processes_on_one_state_directory(bench: Bench) -> None:
    """The new owner waits for the directory's lock, and finds the rows."""
    bench.topics(**{"in": 2, "out": 2})
    app = counting(bench)
    both = [task("0_0"), task("0_1")]
    first = bench.run(app, *both)
    bench.produce("in", *numbered(0, 50))
    until(lambda: first.processed() == 50, "the first half")
    second = bench.run(app, task("0_1"), wait=False)
    until(lambda: second.worker.tasks()[1] == {task("0_1")}, "the lock to be waited for")
    first.membership.push(Revoked(frozenset({task("0_1")})), Assigned(frozenset({task("0_0")}), 2))
    until(lambda: second.running() == {task("0_1")}, "the task to have moved")
    assert first.membership.released_tasks == [frozenset({task("0_1")})]
    assert second.heard.restored[task("0_1"), "counts"] == 0
    bench.produce("in", *numbered(50, 50))
    until(lambda: first.processed() + second.processed() == 100, "the second half")
    first.stop()
    second.stop()
    assert counts(bench) == {f"k{i}": 20 for i in range(5)}


def test_worker_directory_locked_for_too_long_fails_with_its_name(bench: Bench) -> None:
    bench.topics(**{"in": 1, "out": 1})
    app = counting(bench)
    first = bench.run(app, task("0_0"))
    second = bench.run(app, task("0_0"), wait=False, lock_timeout_s=0.2)
    with pytest.raises(StreamsError, match=r"0_0.*in use by another process.*state directory"):
        raise second.failure()
    first.stop()


def test_worker_changelog_made_anew_wipes_the_local_state(bench: Bench) -> None:
    """Rows that the log does not know must not stay, or workers would disagree about them."""
    bench.topics(**{"in": 1, "out": 1})
    app = counting(bench)
    bench.produce("in", *numbered(0, 50))
    first = bench.run(app, task("0_0"))
    until(lambda: first.processed() == 50, "50 records")
    first.stop()
    for future in bench.admin.delete_topics([f"{bench.tag}-counts-changelog"]).values():
        future.result(10)
    bench.produce("in", *numbered(50, 50))
    second = bench.run(app, task("0_0"))
    until(lambda: second.processed() == 50, "the second half")
    second.stop()
    assert counts(bench) == {f"k{i}": 10 for i in range(5)}


@pytest.mark.parametrize("lost", [1_000_000, -1])
def test_worker_committed_offset_that_is_not_there_reads_on_from_the_beginning(
    bench: Bench, caplog: pytest.LogCaptureFixture, lost: int
) -> None:
    """The topic was made anew, or its old records were deleted: said, and gone on."""
    bench.topics(**{"in": 1, "out": 1})
    bench.produce("in", *numbered(0, 50))
    if lost < 0:
        [deleted] = bench.admin.delete_records([TopicPartition(bench.name("in"), 0, 20)]).values()
        deleted.result(10)
    bench.offsets[bench.name("in"), 0] = CommittedOffset(max(lost, 0))
    worker = bench.run(counting(bench), task("0_0"))
    left = 30 if lost < 0 else 50
    until(lambda: worker.processed() == left, "the records that are there")
    until(lambda: bench.offsets[bench.name("in"), 0].offset == 50, "the commit")
    worker.stop()
    assert f"offset_lost: {bench.name('in')}[0]" in caplog.text


def test_worker_latest_without_a_commit_begins_at_the_end(bench: Bench) -> None:
    """And commits where that was, so that nothing is passed over while it is away."""
    bench.topics(**{"in": 1, "out": 1})
    bench.produce("in", *numbered(0, 50))
    first = bench.run(counting(bench), task("0_0"), auto_offset_reset="latest")
    until(lambda: bench.offsets.get((bench.name("in"), 0)) is not None, "the first commit")
    first.stop()
    bench.produce("in", *numbered(50, 10))
    second = bench.run(counting(bench), task("0_0"), auto_offset_reset="latest")
    until(lambda: second.processed() == 10, "10 records")
    second.stop()
    assert first.processed() == 0


def test_worker_source_with_a_reset_of_its_own_begins_where_that_says(bench: Bench) -> None:
    """The other topics begin where the worker says."""
    topics = ("in", "recent", "old")
    bench.topics(**dict.fromkeys(topics, 1), out=1)
    now, day = int(time.time() * 1000), 86_400_000
    for topic in topics:
        bench.produce(topic, *(("k", b'{"n": 1}', now - age * day) for age in (3, 2, 1)))
    app = App(bench.tag)
    for topic, reset in zip(topics, ("latest", timedelta(hours=36), None), strict=True):
        stream = app.stream(bench.name(topic), key=str, value=dict, auto_offset_reset=reset)
        stream.map_values(lambda value, name=topic: name, value=str).to(bench.name("out"))
    worker = bench.run(app, task("0_0"), task("1_0"), task("2_0"))
    until(lambda: worker.processed() == 4, "three old records, and one that is recent")
    until(lambda: bench.offsets.get((bench.name("in"), 0)) is not None, "the first commit")
    bench.produce("in", ("k", b'{"n": 1}', now))
    until(lambda: worker.processed() == 5, "the record that is new")
    worker.stop()
    read = Counter(message.value().decode() for message in bench.read("out"))
    assert read == {"in": 1, "recent": 1, "old": 3}


def test_worker_source_that_must_not_begin_anywhere_fails_without_a_committed_offset(bench: Bench) -> None:
    bench.topics(**{"in": 1})
    bench.produce("in", *numbered(0, 5))
    app = App(bench.tag)
    app.stream(bench.name("in"), key=str, value=dict, auto_offset_reset="none").foreach(lambda key, value: None)
    failed = bench.run(app, task("0_0"), wait=False)
    assert 'auto_offset_reset="none"' in str(failed.failure())
    bench.offsets[bench.name("in"), 0] = CommittedOffset(3)
    worker = bench.run(app, task("0_0"))
    until(lambda: worker.processed() == 2, "what is behind the committed offset")
    worker.stop()


# -- errors -----------------------------------------------------------------------------------------------------------
def failing(bench: Bench, **handlers: Any) -> App:
    app = App(bench.tag, **handlers)

    def check(value: dict[str, int]) -> int:
        return 100 // value["n"]

    app.stream(bench.name("in"), key=str, value=dict).map_values(check).to(bench.name("out"), value=int)
    return app


GOOD, ZERO, GARBAGE = ("k", b'{"n": 5}', 1), ("k", b'{"n": 0}', 2), ("k", b"garbage", 3)


def test_worker_undecodable_record_fails_naming_it_after_committing_what_came_before(bench: Bench) -> None:
    bench.topics(**{"in": 1, "out": 1})
    bench.produce("in", GOOD, GOOD, GARBAGE, GOOD)
    worker = bench.run(failing(bench), task("0_0"), wait=False)
    error = worker.failure()
    assert isinstance(error, SerdeError)
    assert (error.topic, error.partition, error.offset) == (bench.name("in"), 0, 2)
    assert worker.worker.state is WorkerState.ERROR
    assert bench.offsets[bench.name("in"), 0].offset == 2
    assert worker.membership.stopped_with_leave is False


def test_worker_user_function_raises_fails_naming_operator_and_record(bench: Bench) -> None:
    bench.topics(**{"in": 1, "out": 1})
    bench.produce("in", GOOD, ZERO)
    worker = bench.run(failing(bench), task("0_0"), wait=False)
    error = worker.failure()
    assert isinstance(error, ProcessingError)
    assert (error.topic, error.partition, error.offset) == (bench.name("in"), 0, 1)
    assert "check" in str(error)


def test_worker_handlers_continue_skips_and_counts(bench: Bench) -> None:
    bench.topics(**{"in": 1, "out": 1})
    bench.produce("in", GOOD, ZERO, GARBAGE, ZERO, GOOD)
    worker = bench.run(failing(bench), task("0_0"), deserialization_handler="continue", processing_handler="continue")
    until(lambda: worker.processed() == 5, "5 records")
    worker.stop()
    counted = worker.worker.counters()
    assert (counted["skipped_deserialization"], counted["skipped_processing"]) == (1, 2)
    assert len(bench.read("out")) == 2


def test_worker_handler_function_is_asked_per_record(bench: Bench) -> None:
    asked: list[tuple[str | None, str, int]] = []

    def handler(failed: Any) -> str:
        asked.append((failed.node, failed.kind, failed.message.offset()))
        return "continue" if failed.message.offset() < 2 else "fail"

    bench.topics(**{"in": 1, "out": 1})
    bench.produce("in", GOOD, ZERO, ZERO)
    worker = bench.run(failing(bench), task("0_0"), wait=False, processing_handler=handler)
    assert isinstance(worker.failure(), ProcessingError)
    assert [(kind, offset) for _, kind, offset in asked] == [("processing", 1), ("processing", 2)]


def test_worker_half_processed_record_leaves_no_trace_in_state(bench: Bench) -> None:
    """The count is made before the function behind it fails; after a restart the record counts once."""
    bench.topics(**{"in": 1, "out": 1})
    armed = [True]

    def explode(value: int) -> int:
        if armed and value == 3:
            raise RuntimeError("boom")
        return value

    app = App(bench.tag)
    counted = app.stream(bench.name("in"), key=str, value=dict).group_by_key().count(store="counts")
    counted.to_stream().map_values(explode).to(bench.name("out"), value=int)
    bench.produce("in", *numbered(0, 5, keys=1))
    worker = bench.run(app, task("0_0"), wait=False)
    assert isinstance(worker.failure(), ProcessingError)
    armed.clear()
    again = bench.run(app, task("0_0"))
    until(lambda: bench.offsets.get((bench.name("in"), 0)) and bench.offsets[bench.name("in"), 0].offset == 5, "all")
    again.stop()
    assert counts(bench) == {"k0": 5}


def test_worker_missing_source_topic_is_named(bench: Bench) -> None:
    worker = bench.run(counting(bench), wait=False, topic_wait_s=0.0)
    with pytest.raises(TopologyError, match=f"{bench.name('in')}.*does not exist.*create it"):
        raise worker.failure()


def test_worker_internal_topic_with_wrong_count_is_named_with_both_counts(bench: Bench) -> None:
    bench.topics(**{"in": 3, "out": 1, "counts-changelog": 2})
    worker = bench.run(counting(bench), wait=False)
    with pytest.raises(StreamsError, match=r"counts-changelog' has 2 partitions and should have 3.*Stop all workers"):
        raise worker.failure()


def test_worker_unreachable_broker_fails_in_bounded_time(bench: Bench) -> None:
    bench.bootstrap_servers = "127.0.0.1:9"
    worker = bench.run(counting(bench), wait=False, connect_timeout_s=0.5)
    with pytest.raises(StreamsError, match=r"no broker answers at 127\.0\.0\.1:9"):
        raise worker.failure()


# -- time -------------------------------------------------------------------------------------------------------------
def test_worker_replay_across_a_repartition_keeps_every_record(bench: Bench) -> None:
    """Four partitions at very different times: without watermarks three quarters would come too late."""
    from datetime import timedelta

    from streams import tumbling

    day = 86_400_000
    bench.topics(**{"in": 4, "out": 4})
    app = App(bench.tag)
    (
        app.stream(bench.name("in"), key=str, value=dict, timestamp=F["ts"])
        .group_by(F["group"])
        .windowed_by(tumbling(timedelta(days=1), grace=timedelta(hours=1)))
        .aggregate(n=count(), store="daily")
        .to_stream()
        .to(bench.name("out"))
    )
    days, per_day = 40, 50
    for partition in range(4):
        bench.produce(
            "in",
            *(
                ("x", json.dumps({"ts": d * day + i * 1000, "group": f"g{i % 5}"}).encode(), 0)
                for d in range(days)
                for i in range(per_day * (partition + 1))
            ),
            partition=partition,
        )
    total = days * per_day * 10
    plan = bench.partition_plan(app, **{"in": 4})
    half = len(plan.tasks) // 2
    one = bench.run(app, *plan.tasks[:half], directory="one", run_records=200, poll_records=500)
    two = bench.run(app, *plan.tasks[half:], directory="two", run_records=200, poll_records=500)
    until(lambda: one.processed() + two.processed() == 2 * total, "all records on both sides")
    dropped = one.worker.counters()["dropped_late"] + two.worker.counters()["dropped_late"]
    one.stop()
    two.stop()
    assert dropped == 0
    shutil.rmtree(bench.directory / "one")


def test_worker_repartition_topic_is_emptied_of_what_was_read(bench: Bench) -> None:
    bench.topics(**{"in": 1, "out": 1})
    app = App(bench.tag)
    rekeyed = app.stream(bench.name("in"), key=str, value=dict).select_key(lambda key, value: key + "!")
    rekeyed.group_by_key().count(store="counts").to_stream().to(bench.name("out"), value=int)
    plan = bench.partition_plan(app, **{"in": 1})
    [topic] = [topic.name for topic in plan.internal_topics if topic.name.endswith("-repartition")]
    bench.produce("in", *numbered(0, 50))
    worker = bench.run(app, *plan.tasks, repartition_purge_interval_ms=50)
    until(lambda: worker.processed() == 100, "50 records on both sides")
    until(lambda: bench.keep_busy("in") and bench.start_offset(topic) >= 50, "the topic to be emptied")
    worker.stop()


def test_worker_with_damaged_state_rebuilds_it_from_the_changelog(bench: Bench) -> None:
    bench.topics(**{"in": 1, "out": 1})
    bench.produce("in", *numbered(0, 100))
    first = bench.run(counting(bench), task("0_0"))
    until(lambda: first.processed() == 100, "100 records")
    first.stop()
    manifests = list((first.worker.options.application_dir / "0_0").glob("MANIFEST-*"))
    assert manifests
    for manifest in manifests:
        manifest.write_bytes(b"rubbish" * 50)
    bench.produce("in", *numbered(100, 5))
    second = bench.run(counting(bench), task("0_0"))
    until(lambda: second.processed() == 5, "5 records")
    second.stop()
    assert second.heard.restored == {(task("0_0"), "counts"): 5}
    assert counts(bench) == {f"k{i}": 21 for i in range(5)}


def test_worker_whose_changelog_no_longer_reaches_back_rebuilds_that_store(bench: Bench) -> None:
    """Rows that were deleted while nobody looked must not come back with the old state."""
    bench.topics(**{"in": 1, "out": 1})
    bench.produce("in", *numbered(0, 100))
    deletable = {"topic_config": {"cleanup.policy": "compact,delete"}}
    first = bench.run(counting(bench), task("0_0"), directory="left behind", **deletable)
    until(lambda: first.processed() == 100, "100 records")
    first.stop()
    bench.produce("in", *numbered(100, 100))
    second = bench.run(counting(bench), task("0_0"), directory="elsewhere", **deletable)
    until(lambda: second.processed() == 100, "100 more")
    second.stop()
    changelog = f"{bench.tag}-counts-changelog"
    end = bench.admin.list_offsets({TopicPartition(changelog, 0): OffsetSpec.latest()})
    ends = [future.result(10).offset for future in end.values()]
    [deleted] = bench.admin.delete_records([TopicPartition(changelog, 0, ends[0] - 5)]).values()
    deleted.result(10)
    bench.produce("in", *numbered(200, 5))
    third = bench.run(counting(bench), task("0_0"), directory="left behind", **deletable)
    until(lambda: third.processed() == 5, "5 records")
    third.stop()
    assert third.heard.restored == {(task("0_0"), "counts"): 5}
    assert counts(bench) == {f"k{i}": 41 for i in range(5)}
