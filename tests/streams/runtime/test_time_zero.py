"""The first millisecond there is: to librdkafka a timestamp of 0 is the present time."""

from __future__ import annotations

import json
from datetime import timedelta

from streams import App, F, tumbling
from tests.streams.runtime.bench import Bench, until


def test_records_of_time_zero_and_watermarks_before_any_record_do_not_jump_to_the_present(bench: Bench) -> None:
    """Time would go with them: what follows would be late, and the oldest task would be taken for the youngest."""
    bench.topics(**{"in": 2, "out": 1})
    app = App(bench.tag)
    (
        app.stream(bench.name("in"), key=str, value=dict, timestamp=F["ts"])
        .group_by(F["group"])
        .windowed_by(tumbling(timedelta(milliseconds=10), grace=timedelta(0)))
        .count(store="counts")
        .to_stream()
        .to(bench.name("out"))
    )
    bench.produce("in", *(("x", json.dumps({"ts": ts, "group": "g"}).encode(), 0) for ts in (0, 5)), partition=0)
    plan = bench.partition_plan(app, **{"in": 2})
    [between] = [topic.name for topic in plan.internal_topics if topic.name.endswith("-repartition")]
    worker = bench.run(app, *plan.tasks, watermark_interval_ms=1)
    until(lambda: len(bench.read("out")) == 2, "two counts")
    bench.produce("in", ("y", json.dumps({"ts": 7, "group": "g"}).encode(), 0), partition=1)
    until(lambda: len(bench.read("out")) == 3, "a third one")
    dropped = worker.worker.counters()["dropped_late"]
    worker.stop()
    assert dropped == 0
    assert {message.timestamp()[1] for message in bench.read("out")} == {1, 5, 7}
    told = bench.read(between, own=False)
    assert any(message.value() is None for message in told), "no watermark was told"
    assert {message.timestamp()[1] for message in told} <= {1, 5, 7}
