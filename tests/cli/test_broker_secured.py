"""`headrace broker` secured by its settings: who gets in, who may do what, and who learns of secrets."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
from confluent_kafka import KafkaError, Producer
from confluent_kafka.admin import AdminClient, NewTopic

from tests.broker.security.authority import Authority
from tests.broker.waits import wait_for
from tests.cli.command_directory import CommandDirectory

ADMIN_PASSWORD, BOB_PASSWORD, WRONG = "hunter2, = admin", "hunter2 of bob", "hunter2 guessed"
SETTINGS_FILE = f"""
[broker]
port = 0
authorizer = true
super_users = ["User:admin"]

[broker.tls]
certificate = "tls/server.pem"
key = "tls/server.key"

[broker.sasl]
mechanisms = ["SCRAM-SHA-512"]
users = {{ admin = "{ADMIN_PASSWORD}", bob = "{BOB_PASSWORD}" }}
"""
PROPERTIES = f"""
listeners=OUTSIDE://127.0.0.1:0
listener.security.protocol.map=OUTSIDE:SASL_SSL
ssl.keystore.type=PEM
ssl.keystore.location=tls/both.pem
sasl.enabled.mechanisms=PLAIN
listener.name.outside.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required \\
    user_admin="{ADMIN_PASSWORD}" user_bob="{BOB_PASSWORD}";
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:admin
"""
USERS = f"# of the shop\nadmin={ADMIN_PASSWORD}\n\nbob={BOB_PASSWORD}\n"
WAYS: dict[str, tuple[tuple[str, ...], str]] = {
    "headrace.toml": ((), "SCRAM-SHA-512"),
    "properties": (("--properties", "server.properties"), "PLAIN"),
    "flags": (
        (
            *("--port", "0", "--tls-certificate", "tls/server.pem", "--tls-key", "tls/server.key"),
            *("--sasl-users-file", "users", "--authorizer", "--super-users", "User:admin"),
        ),
        "SCRAM-SHA-256",
    ),
}


@pytest.fixture
def secured(commands: CommandDirectory, request: pytest.FixtureRequest) -> CommandDirectory:
    """A directory with all that one of the ways needs."""
    way = getattr(request, "param", "headrace.toml")
    authority = Authority.new()
    tls = commands.directory / "tls"
    tls.mkdir()
    certificate, key = authority.server().write(tls, "server")
    (tls / "both.pem").write_text(certificate.read_text() + key.read_text())
    (commands.directory / "ca.pem").write_text(authority.pem)
    files = {"headrace.toml": SETTINGS_FILE, "properties": PROPERTIES, "flags": USERS}
    names = {"headrace.toml": "headrace.toml", "properties": "server.properties", "flags": "users"}
    (commands.directory / names[way]).write_text(files[way])
    return commands


@contextmanager
def running(commands: CommandDirectory, *words: str) -> Iterator[tuple[str, Callable[[], str]]]:
    """Address, and a function that ends it and gives all it said."""
    process = commands.start("broker", *words, stderr=subprocess.STDOUT)
    assert process.stdout is not None
    said: list[str] = []
    try:
        while not said or not said[-1].startswith("127.0.0.1:"):
            line = process.stdout.readline()
            assert line, "".join(said)
            said.append(line)

        def end() -> str:
            process.terminate()
            assert process.stdout is not None
            said.extend(process.stdout)
            return "".join(said)

        yield said[-1].strip(), end
    finally:
        if process.poll() is None:
            process.terminate()
        process.communicate(timeout=60)


def client(commands: CommandDirectory, address: str, mechanism: str, user: str, password: str) -> dict[str, Any]:
    return {
        "bootstrap.servers": address,
        "security.protocol": "SASL_SSL",
        "ssl.ca.location": str(commands.directory / "ca.pem"),
        "sasl.mechanism": mechanism,
        "sasl.username": user,
        "sasl.password": password,
        "log_level": 0,
    }


@pytest.mark.parametrize(("secured", "way"), [(way, way) for way in WAYS], indirect=["secured"])
def test_broker_is_secured_from_every_place(secured: CommandDirectory, way: str) -> None:
    words, mechanism = WAYS[way]
    with running(secured, *words) as (address, end):
        admin = AdminClient(client(secured, address, mechanism, "admin", ADMIN_PASSWORD))
        admin.create_topics([NewTopic("orders", 1)])["orders"].result(20)

        errors: list[KafkaError] = []
        stranger = Producer({**client(secured, address, mechanism, "admin", WRONG), "error_cb": errors.append})
        wait_for(lambda: (stranger.poll(0.05), errors)[1], "the refusal")
        assert errors[0].code() == KafkaError._AUTHENTICATION

        refused: list[KafkaError | None] = []
        bob = Producer({**client(secured, address, mechanism, "bob", BOB_PASSWORD), "linger.ms": 0})
        bob.produce("orders", b"tea", on_delivery=lambda error, _: refused.append(error))
        assert bob.flush(20) == 0
        (error,) = refused
        assert error is not None
        assert error.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED

        lines = [" ".join(process.cmdline()) for process in secured.processes()]
        assert len(lines) >= 1
        assert "hunter2" not in "".join(lines)
        said = end()
    assert "hunter2" not in said
    assert "(SASL_SSL)" in said
    shown = secured.run("broker", "--show-settings", *words)
    assert shown.returncode == 0, shown.stderr
    assert "hunter2" not in shown.stdout + shown.stderr
    assert "User:admin" in shown.stdout


def test_module_is_secured_by_flags_and_variables(secured: CommandDirectory) -> None:
    """`python -m broker` has no settings file."""
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "broker", "--port", "0", "--tls-certificate", "tls/both.pem"],
        cwd=secured.directory,
        env={**secured.environment, "HEADRACE_BROKER_SASL_USERS": f"bob={BOB_PASSWORD}"},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        address = process.stdout.readline().split()[-1]
        bob = AdminClient(client(secured, address, "PLAIN", "bob", BOB_PASSWORD))
        assert bob.list_topics(timeout=20).brokers
        assert BOB_PASSWORD not in " ".join(psutil.Process(process.pid).cmdline())
    finally:
        process.terminate()
        process.communicate(timeout=60)


# -- commands and applications -----------------------------------------------------------------------------------------
APPLICATION = """
from streams import App

app = App("shop")
app.stream("orders", key=str, value=str).to("copies")

if __name__ == "__main__":
    app.run()
"""


def with_client(commands: CommandDirectory, **properties: str) -> None:
    commands.environment |= {f"HEADRACE_CLIENT_{name}": value for name, value in properties.items()}


def test_commands_find_the_announced_broker_and_say_why_they_are_not_let_in(secured: CommandDirectory) -> None:
    with_client(secured, SSL_CA_LOCATION="ca.pem")
    (secured.directory / "shop.py").write_text(APPLICATION)
    with running(secured):
        for words in (("topics",), ("run", "shop.py:app")):
            done = secured.run(*words)
            assert done.returncode == 1
            assert "asks who its clients are (SASL_SSL), and this client has no sasl.username and no" in done.stderr
            assert "HEADRACE_CLIENT_SASL_PASSWORD" in done.stderr

        with_client(secured, SASL_USERNAME="admin", SASL_PASSWORD=WRONG)
        for words in (("topics",), ("configs", "describe", "broker", "1"), ("run", "shop.py:app")):
            done = secured.run(*words)
            assert done.returncode == 1
            assert "does not let this client in" in done.stderr
            assert "set sasl.username and sasl.password in [client_config] of headrace.toml" in done.stderr
            assert "no broker answers" not in done.stderr
            assert "hunter2" not in done.stderr
        started = run_application(secured)
        assert started.returncode != 0
        assert "does not let this client in" in started.stderr
        assert "no broker answers" not in started.stderr

        with_client(secured, SASL_PASSWORD=ADMIN_PASSWORD)
        done = secured.run("topics", "create", "orders")
        assert done.returncode == 0, done.stderr
        assert "orders" in secured.run("topics").stdout

        secured.environment.pop("HEADRACE_CLIENT_SSL_CA_LOCATION")
        done = secured.run("topics")
        assert done.returncode == 1
        assert "set ssl.ca.location (HEADRACE_CLIENT_SSL_CA_LOCATION)" in done.stderr


def run_application(commands: CommandDirectory) -> subprocess.CompletedProcess[str]:
    """`python shop.py`."""
    return subprocess.run(
        [sys.executable, "shop.py"],
        cwd=commands.directory,
        env={**commands.environment, "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
