"""The HTTP server of a worker: where it listens, whom it lets in, health and metrics."""

from __future__ import annotations

import ssl
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from streams.errors import ConfigError
from streams.query.server import QueryServer
from streams.runtime.options import WorkerOptions
from streams.runtime.phase import WorkerState
from tests.streams.query.shop import Group, Worker, ask


@pytest.fixture
def worker(group: Group) -> Worker:
    return group.worker(*group.plan.tasks)


@pytest.mark.parametrize(
    ("state", "live", "ready"),
    [
        (WorkerState.RUNNING, 200, 200),
        (WorkerState.REBALANCING, 200, 503),
        (WorkerState.PENDING_SHUTDOWN, 200, 503),
        (WorkerState.ERROR, 503, 503),
    ],
)
def test_health_follows_the_workers_state(worker: Worker, state: WorkerState, live: int, ready: int) -> None:
    worker.state = state
    assert (ask(worker, "/health/live").status, ask(worker, "/health/ready").status) == (live, ready)


def test_metrics_are_prometheus_text(worker: Worker) -> None:
    reply = ask(worker, "/metrics")
    assert reply.status == 200
    running = len(worker.reading().tasks[0])
    assert f'headrace_tasks{{application_id="shop",client_id="shop-1",state="running"}} {running}.0' in reply.body


def test_server_port_in_use_is_a_config_error(group: Group, worker: Worker) -> None:
    assert worker.endpoint is not None
    port = int(worker.endpoint.rpartition(":")[2])
    with pytest.raises(ConfigError, match=f"127.0.0.1:{port}.*another port"):
        group.worker(query_port=port)


def test_server_stopped_before_it_serves_ends(worker: Worker) -> None:
    server = QueryServer(worker)
    server.start()
    server.stop()
    server.stop()


def test_server_nobody_asks_loads_no_web_framework() -> None:
    """That is half a second of a worker's start and 15 MB. In a process of its own, since it is loaded in this one."""
    code = (
        "import sys\n"
        "from tests.streams.query.shop import COUNTS, Group, ask, shop\n"
        "with Group(shop(), COUNTS) as group:\n"
        "    group.worker_unasked().server.stop()\n"
        "    print('fastapi' in sys.modules, 'uvicorn' in sys.modules)\n"
        "    worker = group.worker_unasked()\n"
        "    print(ask(worker, '/health/live').status, 'fastapi' in sys.modules)\n"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120).stdout
    assert said.split() == ["False", "False", "200", "True"]


def options(**chosen: Any) -> WorkerOptions:
    given: dict[str, Any] = {"application_id": "shop", "bootstrap_servers": "b:1", "state_dir": Path(), **chosen}
    return WorkerOptions(**given)


def test_server_beyond_loopback_wants_a_token(worker: Worker) -> None:
    for host in ("0.0.0.0", "::", "10.0.0.7", "example.org"):
        worker.options = options(query_host=host)
        with pytest.raises(ConfigError, match="other hosts can read all stores: set query_token") as raised:
            QueryServer(worker)
        assert raised.value.setting == "query_token"
        for allowed in ({"query_token": "secret"}, {"query_open": True}):
            worker.options = options(query_host=host, **allowed)
            QueryServer(worker)


def test_server_with_a_token_refuses_who_has_none_but_for_health(group: Group) -> None:
    """Workers bring it when they ask each other."""
    first = group.worker(*group.of((0, 1)), query_token="secret", query_host="0.0.0.0", advertised_host="127.0.0.1")
    group.worker(*group.of((2, 3)), query_token="secret")
    for path in ("/stores", "/stores/users/7", "/scan/users", "/metrics", "/openapi.json"):
        for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "secret"}):
            reply = ask(first, path, **headers)
            assert (reply.status, reply.body["reason"]) == (401, "unauthorized"), path
            assert reply.headers["WWW-Authenticate"] == "Bearer"
        assert ask(first, path, Authorization="Bearer secret").status in (200, 404)
    assert ask(first, "/health/live").status == 200
    for number in range(20):
        assert ask(first, f"/stores/users/{number}", Authorization="Bearer secret").status == 404, "of any partition"


def test_server_whose_peer_has_another_token_says_so(group: Group) -> None:
    first = group.worker(query_token="secret")
    group.worker(*group.plan.tasks, query_token="another")
    reply = ask(first, "/stores/users/7", Authorization="Bearer secret")
    assert (reply.status, reply.body["reason"]) == (503, "unreachable")
    assert "the token is not the one" in reply.body["detail"]


def test_server_without_a_token_answers_to_its_own_names_only(worker: Worker) -> None:
    """A web page cannot read stores by having its name resolve to this machine."""
    assert ask(worker, "/stores", Host="evil.example:80").status == 421
    assert ask(worker, "/stores/users/7", Host="evil.example").status == 421
    foreign = ask(worker, "/stores", X_Headrace_Forwarded="caf\xe9")  # a byte that is no UTF-8
    assert (foreign.status, foreign.body["reason"]) == (421, "misdirected")
    assert ask(worker, "/stores", Host="localhost:9").status == 200
    assert ask(worker, "/stores", Host="[::1]:9").status == 200


def test_server_any_address_is_advertised_by_the_hosts_name(group: Group) -> None:
    import socket

    worker = group.worker_unasked(query_host="0.0.0.0", query_open=True)
    assert worker.endpoint is not None
    assert worker.endpoint.rpartition(":")[0] == socket.gethostname()


def certificate(directory: Path) -> tuple[Path, Path]:
    key, cert = directory / "key.pem", directory / "cert.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
            *("-keyout", str(key), "-out", str(cert), "-days", "2", "-subj", "/CN=localhost"),
            *("-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"),
        ],
        check=True,
        capture_output=True,
    )
    return cert, key


def test_server_with_tls_serves_and_asks_over_tls(group: Group, tmp_path: Path) -> None:
    cert, key = certificate(tmp_path)
    tls = {"query_tls_certificate": cert, "query_tls_key": key}
    first = group.worker_unasked(**tls)
    second = group.worker_unasked(*group.plan.tasks, **tls)
    trusting = ssl.create_default_context(cafile=str(cert))
    for worker in (second, first):
        with urllib.request.urlopen(f"https://{worker.endpoint}/stores/by-user", context=trusting, timeout=20) as found:
            assert found.read() == b'{"rows":[],"next":null}'


def test_server_half_of_tls_is_a_config_error(worker: Worker, tmp_path: Path) -> None:
    worker.options = options(query_tls_certificate=tmp_path / "cert.pem")
    with pytest.raises(ConfigError, match="set both query_tls_certificate and query_tls_key"):
        QueryServer(worker)
    worker.options = options(query_tls_certificate=tmp_path / "no.pem", query_tls_key=tmp_path / "no.pem")
    with pytest.raises(ConfigError, match=r"no\.pem cannot be used"):
        QueryServer(worker)
