"""Where the log is: the order of `streams.discovery`."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from streams.cli.home import Home
from streams.discovery import DEFAULT_BOOTSTRAP_SERVERS, ENVIRONMENT_VARIABLE, answers_tcp, locate_broker


@pytest.fixture
def listener() -> Iterator[str]:
    """The address of a socket that accepts connections."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        host, port = server.getsockname()
        yield f"{host}:{port}"


def test_locate_broker_given_an_address_takes_it_before_all_else(tmp_path: Path, listener: str) -> None:
    """What the caller says wins over environment and announcement."""
    with Home(tmp_path / ".headrace").announce_broker(listener, tmp_path):
        found = locate_broker("kafka:9092", environ={ENVIRONMENT_VARIABLE: "other:1"}, start=tmp_path)
    assert (found.bootstrap_servers, found.origin) == ("kafka:9092", "argument")


def test_locate_broker_with_environment_takes_it_before_announcement(tmp_path: Path, listener: str) -> None:
    """The environment wins over a running broker nearby."""
    with Home(tmp_path / ".headrace").announce_broker(listener, tmp_path):
        found = locate_broker(environ={ENVIRONMENT_VARIABLE: "other:1"}, start=tmp_path)
    assert (found.bootstrap_servers, found.origin) == ("other:1", "environment")


def test_locate_broker_announced_above_is_found_from_below(tmp_path: Path, listener: str) -> None:
    """The search goes upward from the working directory; the message names the file."""
    below = tmp_path / "jobs" / "deep"
    below.mkdir(parents=True)
    with Home(tmp_path / ".headrace").announce_broker(listener, tmp_path):
        found = locate_broker(environ={}, start=below)
    assert (found.bootstrap_servers, found.origin) == (listener, "announcement")
    assert str(tmp_path / ".headrace" / "broker.json") in found.describe()


def test_locate_broker_nearer_announcement_wins(tmp_path: Path, listener: str) -> None:
    """Of two running brokers the one nearer to the working directory is meant."""
    below = tmp_path / "project"
    below.mkdir()
    with (
        socket.create_server(("127.0.0.1", 0)) as other,
        Home(tmp_path / ".headrace").announce_broker(f"127.0.0.1:{other.getsockname()[1]}", tmp_path),
        Home(below / ".headrace").announce_broker(listener, below),
    ):
        assert locate_broker(environ={}, start=below).bootstrap_servers == listener


def test_locate_broker_dead_announcement_is_passed_over(tmp_path: Path) -> None:
    """A file left by a killed broker does not count, and is left alone."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        gone = f"127.0.0.1:{server.getsockname()[1]}"
    with Home(tmp_path / ".headrace").announce_broker(gone, tmp_path):
        found = locate_broker(environ={}, start=tmp_path)
        assert (found.bootstrap_servers, found.origin) == (DEFAULT_BOOTSTRAP_SERVERS, "default")
        assert (tmp_path / ".headrace" / "broker.json").exists()


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"bootstrap_servers": 9092}'])
def test_locate_broker_broken_announcement_is_passed_over(tmp_path: Path, content: bytes) -> None:
    """Half a file is no announcement."""
    (tmp_path / ".headrace").mkdir()
    (tmp_path / ".headrace" / "broker.json").write_bytes(content)
    assert locate_broker(environ={}, start=tmp_path, alive=lambda _: True).origin == "default"


@pytest.mark.parametrize("address", ["localhost", "localhost:", "localhost:http", "127.0.0.1:99999999999", ""])
def test_answers_tcp_malformed_address_is_false(address: str) -> None:
    """An address nobody can connect to is not alive, whatever is wrong with it."""
    assert not answers_tcp(address)


def test_answers_tcp_one_of_several_is_enough(listener: str) -> None:
    """Bootstrap servers are alternatives."""
    assert answers_tcp(f"127.0.0.1:1, {listener}")


def test_announcement_ends_with_its_block_but_not_a_successors(tmp_path: Path) -> None:
    """Leaving removes our own file only: a broker that announced itself later keeps its."""
    home = Home(tmp_path)
    with home.announce_broker("127.0.0.1:1", tmp_path):
        assert home.path.joinpath("broker.json").exists()
    assert list(tmp_path.iterdir()) == []
    with home.announce_broker("127.0.0.1:1", tmp_path):
        later = home.announce_broker("127.0.0.1:2", tmp_path)
        later.__enter__()
    assert b"127.0.0.1:2" in (tmp_path / "broker.json").read_bytes()


def test_workers_lists_those_whose_process_exists(tmp_path: Path) -> None:
    """A worker that was killed leaves its file behind; it is not listed."""
    (tmp_path / "worker-1.json").write_text('{"application_id": "a", "pid": 999999999, "endpoint": "x:1"}')
    with Home(tmp_path).announce_worker("words", "127.0.0.1:7070"):
        (worker,) = Home(tmp_path).workers()
    assert (worker.application_id, worker.pid, worker.endpoint) == ("words", os.getpid(), "127.0.0.1:7070")


def test_nearest_home_is_that_of_a_directory_above(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands in a sub-directory use the project's home."""
    (tmp_path / ".headrace").mkdir()
    (tmp_path / "src").mkdir()
    monkeypatch.chdir(tmp_path / "src")
    assert Home.nearest().path.resolve() == (tmp_path / ".headrace").resolve()
