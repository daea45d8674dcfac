"""`headrace dead-letters` on a broker: what an application put aside is looked at, and sent again."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import Result
from msgspec.structs import replace

from broker import Broker
from streams import App, Json
from streams.cluster.letter import Letter, LetterFilter
from streams.cluster.sending import send_records
from tests.cli.conftest import Headrace
from tests.streams.runtime.bench import Bench, until


class UnknownCustomer(Exception):
    pass


def check(value: dict[str, Any]) -> dict[str, Any]:
    if value["customer"] == "nobody":
        raise UnknownCustomer(f"order {value['id']}")
    return value


def order(number: int, customer: str) -> tuple[str, bytes, int]:
    return f"k{number}", json.dumps({"id": number, "customer": customer}).encode(), 1_000 * number


@pytest.fixture
def shop(running_broker: Broker, tmp_path: Path, topic: str, on_broker: Headrace) -> Bench:
    """Orders 1 to 4 have been worked on: the second does not decode, the third has no customer."""
    with Bench(running_broker.bootstrap_servers, tmp_path / "state", topic) as bench:
        bench.topics(orders=1, dead=1, checked=1)
        bench.produce("orders", order(1, "ann"), ("k2", b"garbage", 2_000), order(3, "nobody"), order(4, "bob"))
        app = App(bench.tag)
        app.stream(bench.name("orders"), key=str, value=Json()).map_values(check).to(bench.name("checked"))
        worker = bench.run_in_group(
            app,
            deserialization_handler="dead_letter",
            processing_handler="dead_letter",
            dead_letter_topic=bench.name("dead"),
        )
        until(lambda: worker.processed() == 4, "4 orders")
        worker.stop()
    return bench


APPS = """
from streams import App
app, other = App("app"), App("other")
app.stream("{orders}").to("checked")
other.stream("more").to("{orders}")
"""


def listed(done: Result) -> list[list[str]]:
    assert done.exit_code == 0, done.stderr
    return [line.split("\t") for line in done.stdout.splitlines()]


def test_dead_letters_are_listed_shown_and_sent_again(on_broker: Headrace, shop: Bench, tmp_path: Path) -> None:
    dead, orders = shop.name("dead"), shop.name("orders")
    rows = listed(on_broker("dead-letters", "list", dead))
    assert [row[1:5] for row in rows] == [
        ["1970-01-01T00:00:02Z", f"{orders}[0]@1", "k2", "msgspec.DecodeError"],
        ["1970-01-01T00:00:03Z", f"{orders}[0]@2", "k3", f"{__name__}.UnknownCustomer"],
    ]
    assert rows[1][5] == "order 3"
    [told] = on_broker("dead-letters", "list", dead, "--at", rows[1][0], "--json").stdout.splitlines()
    letter = json.loads(told)
    assert letter["source"] == {"topic": orders, "partition": 0, "offset": 2}
    assert json.loads(letter["value"]) == {"id": 3, "customer": "nobody"}
    shown = on_broker("dead-letters", "show", dead, rows[1][0]).stdout
    assert f"exception: {__name__}.UnknownCustomer: order 3" in shown
    assert "Traceback (most recent call last):" in shown

    tried = on_broker("dead-letters", "resubmit", dead, "--source", orders, "--key", "k3", "--dry-run")
    assert tried.stderr == f"1 record would go to {orders}\n"
    assert len(shop.read("orders")) == 4
    sent = on_broker("dead-letters", "resubmit", dead, "--source", orders, "--key", "k3")
    assert (sent.exit_code, sent.stderr) == (0, f"1 record sent to {orders}\n")
    again = shop.read("orders")[-1]
    assert (again.key(), again.value(), again.timestamp()[1], again.headers()) == (
        b"k3",
        order(3, "nobody")[1],
        3_000,
        None,
    )
    (tmp_path / "letters_app.py").write_text(APPS.format(orders=orders))
    for named in ((), ("--app", "letters_app.py:other")):
        refused = on_broker("dead-letters", "resubmit", dead, "--dry-run", *named)
        assert refused.exit_code == 1
        assert f"the first at {rows[0][0]} from {orders!r}" in refused.stderr
        assert "--source" in refused.stderr
    read = on_broker("dead-letters", "resubmit", dead, "--dry-run", "--app", "letters_app.py:app")
    assert read.stderr == f"2 records would go to {orders}\n"
    elsewhere = on_broker("dead-letters", "resubmit", dead, "--to", shop.name("checked"))
    assert elsewhere.stderr == f"2 records sent to {shop.name('checked')}\n"
    assert [record.value() for record in shop.read("checked")[-2:]] == [b"garbage", order(3, "nobody")[1]]


LETTER = Letter(
    partition=0,
    offset=7,
    timestamp=3_000,
    key=b"k3",
    value=b"{}",
    headers=(),
    source="orders",
    source_partition=2,
    source_offset=17,
    exception="shop.UnknownCustomer",
    message="order 3 of nobody",
    stacktrace="",
)


@pytest.mark.parametrize(
    ("fits", "does_not"),
    [
        ({"source": "orders"}, {"source": "other"}),
        ({"exception": "UnknownCustomer"}, {"exception": "Customer"}),
        ({"exception": "shop.UnknownCustomer"}, {"exception": "bar.UnknownCustomer"}),
        ({"message": "of nobody"}, {"message": "of somebody"}),
        ({"key": "k3"}, {"key": "k"}),
        ({"since": 3_000}, {"since": 3_001}),
        ({"until": 3_001}, {"until": 3_000}),
        ({"places": frozenset({(0, 7), (1, 1)})}, {"places": frozenset({(1, 7)})}),
    ],
)
def test_filter_takes_letters_that_fit_all_it_asks(fits: dict[str, Any], does_not: dict[str, Any]) -> None:
    assert LetterFilter(**fits)(LETTER)
    assert not LetterFilter(**does_not)(LETTER)
    assert not LetterFilter(**{"key": "no", "exception": "no", **fits})(LETTER)


def test_letter_of_time_zero_is_not_sent_again_as_of_the_present() -> None:
    sent: list[Any] = []
    client: Any = SimpleNamespace(produce=lambda *_, **named: sent.append(named), poll=lambda _: 0, flush=lambda _: 0)
    assert send_records(client, "orders", [replace(LETTER, timestamp=0).again(partition=True)]) == 1
    assert (sent[0]["timestamp"], sent[0]["partition"]) == (1, 2)


def test_records_that_are_no_dead_letters_are_not_sent_anywhere(on_broker: Headrace, topic: str) -> None:
    on_broker("topics", "create", topic)
    on_broker("produce", topic, "hello", "--partition", "0")
    done = on_broker("dead-letters", "resubmit", topic)
    assert done.exit_code == 1
    assert "do not say where they came from, the first at 0:0" in done.stderr
    assert on_broker("dead-letters", "show", topic, "0:7").exit_code == 1
    assert on_broker("dead-letters", "show", topic, "seven").exit_code == 2
    assert "no dead letter" in on_broker("dead-letters", "resubmit", topic, "--key", "x").stderr
