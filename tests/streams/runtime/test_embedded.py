"""An application inside somebody else's asyncio program."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from streams import App
from streams.errors import SerdeError, StreamsError
from streams.runtime.phase import WorkerState
from tests.streams.runtime.bench import Bench, until

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def echo(bench: Bench, tmp_path: Path) -> App:
    bench.topics(**{"in": 1, "out": 1})
    app = App(bench.tag, bootstrap_servers=bench.bootstrap_servers, state_dir=tmp_path / "embedded")
    app.stream(bench.name("in"), key=str, value=dict).to(bench.name("out"))
    return app


async def test_started_application_runs_until_it_is_stopped(bench: Bench, tmp_path: Path) -> None:
    app = echo(bench, tmp_path)
    running = await app.start(query_port=None)
    assert running.worker.state is WorkerState.RUNNING
    bench.produce("in", ("a", b"{}", 1))
    await asyncio.to_thread(until, lambda: running.worker.counters()["processed"] == 1)
    await running.stop()
    assert running.worker.state is WorkerState.NOT_RUNNING
    assert [message.key() for message in bench.read("out")] == [b"a"]


async def test_lifespan_runs_the_application_while_it_is_open(bench: Bench, tmp_path: Path) -> None:
    app = echo(bench, tmp_path)
    bench.produce("in", ("a", b"{}", 1))
    async with app.lifespan():
        await asyncio.to_thread(until, lambda: bench.read("out"))


async def test_start_that_fails_raises_what_is_wrong(tmp_path: Path) -> None:
    app = App("nowhere", bootstrap_servers="127.0.0.1:1", state_dir=tmp_path)
    app.stream("in", key=str, value=dict).to("out")
    with pytest.raises(StreamsError, match=r"127\.0\.0\.1:1"):
        await app.start(query_port=None, connect_timeout_s=0.2)


async def test_worker_that_fails_later_raises_where_it_is_awaited(bench: Bench, tmp_path: Path) -> None:
    app = echo(bench, tmp_path)
    running = await app.start(query_port=None)
    bench.produce("in", ("a", b"rubbish", 1))
    with pytest.raises(SerdeError):
        await running.wait()
    assert running.worker.state is WorkerState.ERROR
