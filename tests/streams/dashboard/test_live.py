"""The event stream: what it tells, whom it asks, and that it stops."""

from __future__ import annotations

import http.client
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import msgspec
import pytest

from streams.observe.reading import WorkerReading
from streams.runtime.membership import MemberView
from streams.runtime.phase import WorkerState
from tests.streams.query.shop import HERE, Group, HasEndpoint, ask


def follow(worker: HasEndpoint) -> Iterator[tuple[str, Any]]:
    """(event, data), until the server ends it."""
    with closing(http.client.HTTPConnection(str(worker.endpoint), timeout=20)) as connection:
        connection.request("GET", "/dashboard/live")
        response = connection.getresponse()
        assert (response.status, response.headers["content-type"].split(";")[0]) == (200, "text/event-stream")
        name = ""
        for line in response:
            field, _, text = line.decode().rstrip("\n").partition(": ")
            if field == "event":
                name = text
            elif field == "data":
                yield name, msgspec.json.decode(text)


def test_stream_begins_with_all_workers_and_goes_on_with_what_changed(group: Group) -> None:
    first = group.worker(*group.of((0, 1)), web=True)
    second = group.worker(*group.of((2, 3)))
    events = follow(first)
    name, whole = next(events)
    assert (name, whole["application"], whole["served_by"]) == ("whole", "shop", first.endpoint)
    assert set(whole["workers"]) == {first.endpoint, second.endpoint}
    assert set(whole["workers"][first.endpoint]["tasks"]) == {str(task) for task in group.of((0, 1))}
    assert whole["workers"][second.endpoint]["state"] == "running"

    second.state, second.running = WorkerState.REBALANCING, frozenset(group.of((2,)))
    name, change = next(events)
    told = change["workers"][second.endpoint]
    assert name == "change"
    assert told["state"] == "rebalancing"
    assert set(told["gone"]) == {str(task) for task in group.of((3,))}
    assert "host" not in told
    assert "state" not in change["workers"][first.endpoint]


def test_worker_that_cannot_be_reached_is_told_of_with_why(group: Group) -> None:
    first = group.worker(*group.of((0,)), web=True)
    gone = group.worker(*group.of((1,)))
    gone.server.stop()
    group.members = (
        *group.members,
        MemberView(member_id="mute", tasks=frozenset(), endpoint=None, host=HERE),
        MemberView(member_id="far", tasks=frozenset(), endpoint="127.0.0.1:9", host="elsewhere"),
    )
    workers = next(follow(first))[1]["workers"]
    assert workers[gone.endpoint]["state"] == "unreachable"
    assert workers[gone.endpoint]["assigned"] == [str(task) for task in sorted(group.of((1,)))]
    assert "query_port" in workers["mute"]["problem"]
    assert "query_host that others can reach" in workers["127.0.0.1:9"]["problem"]
    assert workers[first.endpoint]["state"] == "running"


def test_worker_that_goes_and_comes_back_is_told_of_anew(group: Group) -> None:
    """Else a page would show what it knew of the one together with what it hears of the other."""
    first = group.worker(*group.of((0, 1)), web=True)
    second = group.worker(*group.of((2, 3)))
    endpoint = second.endpoint
    assert endpoint is not None
    events = follow(first)
    assert "problem" not in next(events)[1]["workers"][endpoint]
    second.server.stop()
    told = next(event["workers"][endpoint] for _, event in events if event["workers"][endpoint].get("anew"))
    assert (told["state"], told["tasks"]) == ("unreachable", {})
    assert {"pid", "cpu_s", "thread"}.isdisjoint(told)
    assert told["host"] == HERE
    again = group.worker(*group.of((2, 3)), query_port=int(endpoint.rpartition(":")[2]))
    group.workers.remove(second)
    group.tell()
    told = next(event["workers"][endpoint] for _, event in events if event["workers"][endpoint].get("anew"))
    assert told["name"] == again.reading().client_id
    assert "problem" not in told
    assert set(told["tasks"]) == {str(task) for task in group.of((2, 3))}


def test_nothing_is_computed_when_nobody_watches(group: Group) -> None:
    worker = group.worker(*group.plan.tasks, web=True)
    readings: list[float] = []
    read = worker.reading
    worker.reading = lambda: (readings.append(time.monotonic()), read())[1]  # type: ignore[method-assign]
    assert ask(worker, "/health/live").status == 200
    before = len(readings)
    events = follow(worker)
    next(events)
    next(events)
    watched = len(readings)
    assert watched >= before + 2
    events.close()  # type: ignore[attr-defined]
    live = worker.server._live
    assert live is not None
    deadline = time.monotonic() + 10
    while live.is_ticking:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_stream_that_cannot_go_on_ends_and_can_be_asked_for_again(
    group: Group, caplog: pytest.LogCaptureFixture
) -> None:
    """Instead of standing still, which nobody would notice."""
    worker = group.worker(*group.plan.tasks, web=True)
    read = worker.reading
    events = follow(worker)
    next(events)

    def fails() -> WorkerReading:
        raise RuntimeError("out of figures")

    worker.reading = fails  # type: ignore[method-assign]
    assert all(name == "change" for name, _ in events)
    assert "dashboard_failed" in caplog.text
    worker.reading = read  # type: ignore[method-assign]
    again = follow(worker)
    assert [next(again)[0], next(again)[0]] == ["whole", "change"]


def test_stream_ends_at_once_when_the_worker_stops(group: Group) -> None:
    """Else a restart would wait for everybody who looks."""
    worker = group.worker(*group.plan.tasks, web=True)
    events = follow(worker)
    next(events)
    begin = time.monotonic()
    worker.server.stop()
    assert time.monotonic() - begin < 1.5
    assert all(name == "change" for name, _ in events)
