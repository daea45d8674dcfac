"""`headrace doctor`: each thing it looks for, there and not there."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from confluent_kafka import Producer

from broker import Broker
from streams.cli.checkup import foreign_packages
from streams.cli.checkup.environment import version_gaps
from streams.cli.checkup.log import protocol_gaps
from tests.cli.conftest import Headrace

APP = """
from streams import App
app = App("shop")
clicks = app.stream("{0}-clicks", key=str, value=str)
clicks.join(app.table("{0}-users", key=str, value=str), lambda click, user: click).to("out")
"""


@pytest.fixture
def nobody() -> Iterator[str]:
    """An address where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{taken.getsockname()[1]}"


def findings(headrace: Headrace, *words: str) -> tuple[int, list[dict[str, Any]]]:
    done = headrace("doctor", "--json", *words)
    return done.exit_code, [msgspec.json.decode(line) for line in done.stdout.splitlines()]


def about(rows: list[dict[str, Any]], subject: str) -> dict[str, Any]:
    return next(row for row in rows if row["subject"] == subject)


def send(broker: Broker, topic: str, partitioner: str) -> None:
    """A hundred records by a client with this partitioner."""
    producer = Producer({"bootstrap.servers": broker.bootstrap_servers, "partitioner": partitioner})
    for number in range(100):
        producer.produce(topic, key=f"k{number}", value=b"x")
    producer.flush(20)


def test_doctor_on_a_sound_installation_finds_nothing(on_broker: Headrace) -> None:
    """Exit code 0, also for people."""
    code, rows = findings(on_broker)
    assert (code, {row["verdict"] for row in rows}) == (0, {"ok"})
    assert {"python", "packages", "settings", "state", "broker", "protocol"} == {row["subject"] for row in rows}
    assert on_broker("doctor").exit_code == 0


def test_doctor_without_a_broker_says_where_it_looked(headrace: Headrace, nobody: str) -> None:
    code, rows = findings(headrace, "--bootstrap-servers", nobody)
    assert (code, about(rows, "broker")["verdict"]) == (1, "failure")
    assert nobody in about(rows, "broker")["text"]


def test_doctor_with_a_broken_settings_file_stops_there(headrace: Headrace, project: Path) -> None:
    (project / "headrace.toml").write_text("comit = 3")
    code, rows = findings(headrace)
    assert (code, about(rows, "settings")["verdict"], rows[-1]["subject"]) == (1, "failure", "settings")


@pytest.mark.parametrize(("partitioner", "verdict"), [("murmur2_random", "ok"), ("consistent_random", "failure")])
def test_doctor_of_a_join_looks_whether_keys_lie_where_they_should(
    on_broker: Headrace, running_broker: Broker, project: Path, topic: str, partitioner: str, verdict: str
) -> None:
    """librdkafka's default partitioner is the mistake that everybody makes once."""
    for side in ("clicks", "users"):
        on_broker("topics", "create", f"{topic}-{side}", "--partitions", "3")
        send(running_broker, f"{topic}-{side}", partitioner)
    (project / "app.py").write_text(APP.format(topic))
    code, rows = findings(on_broker, "app.py:app")
    looked = [row for row in rows if row["subject"] == "inputs"]
    assert [row["verdict"] for row in looked] == [verdict, verdict]
    assert code == (0 if verdict == "ok" else 1)
    assert "100 sampled keys" in looked[0]["text"]


def test_doctor_of_a_missing_input_says_how_to_make_it(on_broker: Headrace, project: Path, topic: str) -> None:
    (project / "app.py").write_text(APP.format(topic))
    _, rows = findings(on_broker, "app.py:app")
    assert about(rows, "inputs")["cure"] == f"headrace topics create {topic}-clicks"


def test_foreign_packages_installed_beside_us_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The distribution named `stores` overwrites our folder."""

    def version(name: str) -> str:
        from importlib.metadata import PackageNotFoundError

        if name == "stores":
            return "0.1.6"
        raise PackageNotFoundError(name)

    assert list(foreign_packages()) == []
    monkeypatch.setattr("importlib.metadata.version", version)
    (found,) = foreign_packages()
    assert found.verdict == "failure"
    assert "stores 0.1.6" in found.text
    assert found.cure is not None
    assert found.cure.startswith("pip uninstall stores")


def test_version_gaps_name_what_is_out_of_range_or_missing() -> None:
    """Extras count only where they are installed; markers of other systems do not."""
    lines = ["msgspec>=99", "nothing-such-thing>=1", "pydantic>=2", "x-y-z; extra == 'faust'", "w; sys_platform == 'q'"]
    assert [finding.text.split()[0] for finding in version_gaps(lines)] == ["msgspec", "nothing-such-thing"]


def test_protocol_gaps_of_an_old_broker_say_what_is_not_possible() -> None:
    """A broker without KIP-447 cannot do exactly once as it is done here."""
    served = dict.fromkeys(range(60), (0, 20))
    assert [finding.verdict for finding in protocol_gaps(served)] == ["ok"]
    (gap,) = protocol_gaps(served | {28: (0, 2)})
    assert (gap.verdict, "TxnOffsetCommit" in gap.text, "exactly once" in gap.text) == ("failure", True, True)
    (gap,) = protocol_gaps({key: v for key, v in served.items() if key != 21})
    assert (gap.verdict, "DeleteRecords" in gap.text) == ("warning", True)
