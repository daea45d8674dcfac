"""The dashboard's port, kept for workers that come and go."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from streams.cli import web_port
from streams.cli.failures import CommandFailed
from streams.cli.web_port import shared_port, url
from streams.query.server import listen


@pytest.fixture
def taken() -> Iterator[int]:
    """A port on which somebody listens who shares it with whoever wants."""
    with socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        yield listening.getsockname()[1]


def test_port_is_kept_while_workers_come_and_go(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        monkeypatch.setattr(web_port, "USUAL_PORT", free.getsockname()[1])
    with shared_port("127.0.0.1", None) as port:
        assert port == web_port.USUAL_PORT
        for _ in range(2):
            with listen("127.0.0.1", port, "web_port", shared=True), listen("127.0.0.1", port, "web_port", shared=True):
                socket.create_connection(("127.0.0.1", port)).close()
        with pytest.raises(ConnectionRefusedError):  # nobody is there: the keeper does not listen
            socket.create_connection(("127.0.0.1", port))
        with shared_port("127.0.0.1", None) as other:  # a second command, of another application, gets another one
            assert other != port


def test_usual_port_that_is_taken_gives_way_to_a_free_one(taken: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even where whoever has it would share: browsers would get now this application, now that."""
    monkeypatch.setattr(web_port, "USUAL_PORT", taken)
    with shared_port("127.0.0.1", None) as port:
        assert port != taken


def test_wanted_port_that_is_taken_fails_with_its_cure(taken: int) -> None:
    with (
        pytest.raises(CommandFailed, match=f"port {taken} on 127.0.0.1 is taken: choose another --web-port"),
        shared_port("127.0.0.1", taken),
    ):
        pass


def test_url_is_what_a_browser_opens() -> None:
    assert url("localhost", 8642, tls=False) == "http://localhost:8642/ui/"
    assert url("::1", 8642, tls=True) == "https://[::1]:8642/ui/"
