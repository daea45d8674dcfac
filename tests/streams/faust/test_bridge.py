"""The service that runs an application in a Faust worker: what it takes from Faust, and how it ends."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import faust
import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic
from mode import Service

from streams import App, ConfigError, QueryError, SerdeError
from streams.faust import Bridge, mount
from streams.faust.derived import worker_options
from streams.runtime.worker import Worker
from tests.cluster import any_cluster

QUICK: dict[str, Any] = {"query_port": None, "client_config": {"log_level": 0}}


def host(directory: Path, broker: str = "kafka://one:9092;two", **settings: Any) -> faust.App:
    return faust.App("host", broker=broker, datadir=directory, **settings)


def counting(name: str, **settings: Any) -> App:
    app = App(name, **settings)
    app.stream(f"{name}-in", key=str, value=int).group_by_key().count(store="counts")
    return app


@pytest.fixture(scope="module")
def servers() -> Iterator[str]:
    with any_cluster() as servers:
        yield servers


def create_topic(servers: str, name: str) -> None:
    admin = AdminClient({"bootstrap.servers": servers})
    admin.create_topics([NewTopic(name, 1, 1)])[name].result(20)


@pytest.mark.parametrize(
    ("views", "paths"),
    [
        ("/stores", ["/stores/{store}/", "/stores/{store}/{key:.+}/"]),
        ("a/b/", ["/a/b/{store}/", "/a/b/{store}/{key:.+}/"]),
        ("/", ["/{store}/", "/{store}/{key:.+}/"]),
    ],
)
def test_views_are_where_they_are_wanted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, views: str, paths: list[str]
) -> None:
    faust_app = host(tmp_path)
    added: list[str] = []
    monkeypatch.setattr(faust_app.web, "add_view", lambda view, **_: added.append(view.view_path))
    mount(faust_app, counting("app"), views=views)
    assert added == paths


def test_settings_that_nobody_gave_are_fausts(tmp_path: Path) -> None:
    options = worker_options(host(tmp_path), counting("app"), {})
    assert options["bootstrap_servers"] == "one:9092,two:9092"
    assert options["state_dir"] == tmp_path / "headrace"
    given = {"bootstrap_servers": "mine:1", "state_dir": "here", "query_port": None}
    assert worker_options(host(tmp_path), counting("app"), given) == given
    own = counting("app", bootstrap_servers="own:1", state_dir=tmp_path / "own")
    assert worker_options(host(tmp_path), own, {}) == {}


def test_password_of_faust_is_taken_over_and_certificates_are_asked_for(tmp_path: Path) -> None:
    import ssl

    credentials = faust.SASLCredentials(username="ann", password="secret", mechanism="SCRAM-SHA-256")
    options = worker_options(host(tmp_path, broker_credentials=credentials), counting("app"), {})
    assert options["client_config"] == {
        "security.protocol": "SASL_PLAINTEXT",
        "sasl.mechanism": "SCRAM-SHA-256",
        "sasl.username": "ann",
        "sasl.password": "secret",
    }
    certificates = faust.SSLCredentials(ssl.create_default_context())
    with pytest.raises(ConfigError, match=r"SSLCredentials.*client_config with security.protocol"):
        worker_options(host(tmp_path, broker_credentials=certificates), counting("app"), {})
    chosen = counting("app", client_config={"security.protocol": "SSL", "ssl.ca.location": "/ca.pem"})
    options = worker_options(host(tmp_path, broker_credentials=certificates), chosen, {})
    assert options["client_config"]["ssl.ca.location"] == "/ca.pem"


def test_application_of_the_same_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"both called 'host', which would be one consumer group.*'host-stores'"):
        worker_options(host(tmp_path), counting("host"), {})


def test_broker_that_is_no_kafka_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"'memory:.*pass bootstrap_servers"):
        worker_options(host(tmp_path, "memory://"), counting("app"), {})


def test_broker_is_the_one_that_fausts_consumers_and_producers_share(tmp_path: Path) -> None:
    """`broker` is what both have unless told otherwise."""
    both = host(tmp_path, "kafka://unused", broker_consumer="kafka://one", broker_producer="kafka://one")
    assert worker_options(both, counting("app"), {})["bootstrap_servers"] == "one:9092"
    apart = host(tmp_path, "kafka://one", broker_producer="kafka://two")
    with pytest.raises(ConfigError, match=r"reads from one cluster and writes to another.*pass bootstrap_servers"):
        worker_options(apart, counting("app"), {})


def test_application_that_is_left_out_is_named_after_fausts(tmp_path: Path) -> None:
    assert mount(host(tmp_path)).app.settings.application_id == "host-stores"


def test_stores_cannot_be_read_outside_of_the_workers_life(tmp_path: Path) -> None:
    bridge = mount(host(tmp_path), counting("app"))
    with pytest.raises(QueryError, match="there is no store 'cuonts'; the topology has: counts"):
        bridge.store("cuonts")
    with pytest.raises(QueryError, match="'app' does not run in this process"):
        asyncio.run(bridge.store("counts").get("a"))


def test_commands_of_faust_that_are_no_workers_do_not_start_it(tmp_path: Path) -> None:
    faust_app = host(tmp_path)
    faust_app.client_only = True
    bridge = mount(faust_app, counting("app"))

    async def life() -> None:
        async with bridge:
            assert bridge.worker is None

    asyncio.run(life())


def test_application_that_cannot_start_ends_the_worker(tmp_path: Path, servers: str) -> None:
    """The reason is that of the application."""
    bridge = mount(host(tmp_path, f"kafka://{servers}"), counting("missing"), topic_wait_s=0.0, **QUICK)
    with pytest.raises(Exception, match="missing-in") as raised:
        asyncio.run(bridge.start())
    assert type(raised.value).__module__ == "streams.errors"


def test_application_that_cannot_start_is_not_stopped_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of whatever kind the reason is: stopping would raise it a second time."""

    def broken(self: Worker) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(Worker, "run", broken)
    monkeypatch.setattr(Worker, "wait_for", lambda self, states: None)  # pyright: ignore[reportUnknownLambdaType]
    bridge = mount(host(tmp_path), counting("app"), **QUICK)

    async def life() -> None:
        with pytest.raises(OSError, match="no space left"):
            await bridge.start()
        await bridge.stop()

    asyncio.run(life())


async def until_crashed(service: Service) -> None:
    while not service.crashed:  # noqa: ASYNC110 (mode keeps its event to itself)
        await asyncio.sleep(0.01)


def test_failure_of_the_application_ends_the_faust_worker_and_stopping_it_commits(tmp_path: Path, servers: str) -> None:
    """The first life ends in order, and its rows are committed; the second one meets a record that does not decode."""
    create_topic(servers, "failing-in")
    producer = Producer({"bootstrap.servers": servers})
    producer.produce("failing-in", (5).to_bytes(8, "big"), "a")
    assert producer.flush(20) == 0
    app = counting("failing")

    class FaustWorker(Service):
        """What the bridge is a child of."""

    async def first_life() -> None:
        bridge: Bridge = mount(host(tmp_path, f"kafka://{servers}"), app, **QUICK)
        parent = FaustWorker()
        parent.add_dependency(bridge)
        async with parent:
            counts = bridge.store("counts")
            while (row := await counts.get("a")) is None:  # noqa: ASYNC110 (what is waited for is in another thread)
                await asyncio.sleep(0.01)
            assert row.value == 1
            assert app.store("counts").get("a") == row
        assert not parent.crashed

    async def second_life() -> BaseException | None:
        bridge: Bridge = mount(host(tmp_path, f"kafka://{servers}"), app, **QUICK)
        parent = FaustWorker()
        parent.add_dependency(bridge)
        async with parent:
            assert (await bridge.store("counts").get("a")).value == 1
            producer.produce("failing-in", b"no integer", "a")
            assert producer.flush(20) == 0
            await asyncio.wait_for(until_crashed(parent), 60)
            return parent.crash_reason  # which mode forgets at the end of the block

    asyncio.run(first_life())
    reason = asyncio.run(second_life())
    assert isinstance(reason, SerdeError)
    assert "failing-in[0] at offset 1" in str(reason)
