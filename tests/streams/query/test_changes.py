"""A store's changes as server-sent events, and positions, on a running application."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from streams import App, Materialized, tumbling
from tests.cluster import any_cluster
from tests.streams.query.shop import ask
from tests.streams.runtime.bench import Bench, RunningWorker, until

ONE = (1).to_bytes(8, "big")
SECOND = timedelta(seconds=1)


@pytest.fixture(scope="module")
def bootstrap_servers() -> Iterator[str]:
    with any_cluster() as servers:
        yield servers


@pytest.fixture
def bench(bootstrap_servers: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Bench]:
    with Bench(bootstrap_servers, tmp_path, request.node.name) as ready:
        yield ready


@pytest.fixture
def running(bench: Bench) -> RunningWorker:
    bench.topics(**{"in": 2, "names": 1})
    app = App(bench.tag)
    grouped = app.stream(bench.name("in"), key=str, value=int).group_by_key()
    grouped.count(store="counts")
    grouped.windowed_by(tumbling(SECOND, grace=timedelta(0))).count(store="seconds")
    grouped.count(store=Materialized("scratch", persistent=False, logged=False))
    app.global_table(bench.name("names"), key=str, value=str, store="names")
    worker = bench.run_in_group(app, query_port=0)
    until(lambda: len(worker.running()) == 2, "the tasks")
    return worker


class Events:
    """What `/changes` tells."""

    def __init__(self, running: RunningWorker, path: str, **headers: str) -> None:
        request = urllib.request.Request(
            f"http://{running.worker.endpoint}{path}", headers={n.replace("_", "-"): v for n, v in headers.items()}
        )
        self._response = urllib.request.urlopen(request, timeout=20)
        self.last_id = ""

    def __enter__(self) -> Events:
        return self

    def __exit__(self, *_: object) -> None:
        self._response.close()

    def next(self) -> tuple[str, Any]:
        name = ""
        for line in self._response:
            field, _, text = line.decode().rstrip("\n").partition(": ")
            if field == "event":
                name = text
            elif field == "id":
                self.last_id = text
            elif field == "data":
                return name, msgspec.json.decode(text)
        raise AssertionError("the stream ended")


def values(events: Events, last: int) -> list[int]:
    """Those that come, up to `last`."""
    found: list[int] = []
    while not found or found[-1] != last:
        name, row = events.next()
        assert name == "change"
        found.append(row["value"])
    return found


def test_changes_come_as_they_are_committed_and_go_on_behind_an_event(bench: Bench, running: RunningWorker) -> None:
    """None is lost between two listeners, and none comes again."""
    with Events(running, "/changes/counts?key=a") as events:
        assert events.next() == ("ready", {})
        bench.produce("in", ("a", ONE, 1_000), ("b", ONE, 1_000), ("a", ONE, 1_500))
        assert values(events, 2)[-1] == 2
        known = events.last_id
    bench.produce("in", ("a", ONE, 1_600))
    until(lambda: ask(running.worker, "/stores/counts/a").body.get("value") == 3, "the third")
    with Events(running, "/changes/counts?key=a", Last_Event_ID=known) as events:
        assert events.next() == ("ready", {})
        assert events.next()[1]["value"] == 3


def test_changes_of_windows_have_their_bounds(bench: Bench, running: RunningWorker) -> None:
    with Events(running, "/changes/seconds") as events:
        events.next()
        bench.produce("in", ("a", ONE, 1_200))
        assert events.next() == ("change", {"key": "a", "start": 1_000, "end": 2_000, "value": 1, "timestamp": 1_200})


def test_changes_of_a_global_table_are_those_of_its_topic(bench: Bench, running: RunningWorker) -> None:
    with Events(running, "/changes/names") as events:
        events.next()
        bench.produce("names", ("x", b"Xenia", 7), ("x", None, 8))
        assert events.next()[1] == {"key": "x", "value": "Xenia", "timestamp": 7}
        assert events.next()[1] == {"key": "x", "value": None, "timestamp": 8}


@pytest.mark.parametrize(
    ("path", "headers", "status", "detail"),
    [
        ("/changes/scratch", {}, 400, "has no changelog"),
        ("/changes/nothing", {}, 404, "there is no store 'nothing'"),
        ("/changes/counts", {"Last_Event_ID": "x"}, 400, "is not the id of an event"),
    ],
)
def test_changes_that_cannot_be_followed_say_why(
    running: RunningWorker, path: str, headers: dict[str, str], status: int, detail: str
) -> None:
    reply = ask(running.worker, path, **headers)
    assert reply.status == status
    assert detail in reply.body["detail"]


def test_answer_carries_a_position_and_a_bound_is_waited_for(bench: Bench, running: RunningWorker) -> None:
    bench.produce("in", ("a", ONE, 1_000), partition=1)
    place = f"{bench.name('in')}:1:0"
    for path in ("/stores/counts?", "/stores/counts?first=a&", "/scan/counts?"):
        assert '"a"' in str(ask(running.worker, f"{path}position={place}").body).replace("'", '"'), path
    page = ask(running.worker, "/stores/counts?partition=1")
    assert page.headers["X-Position"] == place
    late = ask(running.worker, "/stores/counts?wait_ms=50", X_Position=f"{bench.name('in')}:1:5")
    assert (late.status, late.body["reason"], late.headers["Retry-After"]) == (412, "behind", "1")
    assert (late.body["position"], late.body["wanted"]) == (place, f"{bench.name('in')}:1:5")
    assert ask(running.worker, f"/stores/counts?wait_ms=0&position={bench.name('in')}:0:5&partition=1").status == 200
