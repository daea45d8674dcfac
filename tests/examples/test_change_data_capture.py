"""Tables out of change events, beside SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from itertools import pairwise

import msgspec
import pytest

from examples.change_data_capture.__main__ import main
from examples.change_data_capture.app import Change, Customer, Id, NamedOrder, app
from examples.change_data_capture.data import events
from examples.event import Event
from tests.examples.conftest import Drive

SALES = """
    select country, count(*), sum(cents) from orders join customers on customer_id = customers.id group by country
"""
NAMED = "select orders.id, name, country, cents from orders join customers on customer_id = customers.id"


class Database:
    """The tables as a database has them after these changes."""

    def __init__(self, changes: Iterable[Event]) -> None:
        self._tables = sqlite3.connect(":memory:")
        self._tables.execute("create table customers (id integer primary key, name text, country text)")
        self._tables.execute("create table orders (id integer primary key, customer_id integer, cents integer)")
        for event in changes:
            table, change = event.topic.rpartition(".")[2], event.value
            if change is None:
                continue  # a tombstone: the row was deleted by the event before
            self._tables.execute(f"delete from {table} where id = ?", [event.key.id])
            if change.op != "d":
                self._tables.execute(f"insert into {table} values (?, ?, ?)", msgspec.structs.astuple(change.after))

    def ask(self, query: str) -> list[tuple[object, ...]]:
        return self._tables.execute(query).fetchall()

    def close(self) -> None:
        self._tables.close()


@pytest.fixture
def database() -> Iterator[Database]:
    made = Database(events())
    yield made
    made.close()


def test_tables_are_the_databases(drive: Drive, database: Database) -> None:
    """Rows, joined rows and sums; a country whose orders are all gone is left with none."""
    driver = drive(app, events())
    for table in ("customers", "orders"):
        rows = [msgspec.structs.astuple(row) for row, _ in driver.rows(table).values()]
        assert sorted(rows) == sorted(database.ask(f"select * from {table}"))
    named = {key.id: row for key, (row, _) in driver.rows("named-orders").items()}
    assert named == {number: NamedOrder(*row) for number, *row in database.ask(NAMED)}
    sales = driver.output_topic("sales-by-country").read_table()
    there = {country: (row.orders, row.cents) for country, row in sales.items() if row.orders}
    assert there == {country: (orders, cents) for country, orders, cents in database.ask(SALES)}


def test_tables_are_the_databases_after_every_change(drive: Drive) -> None:
    """The first 150 changes, one by one."""
    log = events()[:150]
    driver = drive(app, [])
    for number, event in enumerate(log, 1):
        driver.input_topic(event.topic).pipe(event.value, key=event.key, timestamp=event.timestamp)
        database = Database(log[:number])
        sales = {country: (row.orders, row.cents) for country, (row, _) in driver.rows("sales-by-country").items()}
        expected = {country: (orders, cents) for country, orders, cents in database.ask(SALES)}
        assert {country: row for country, row in sales.items() if row[0]} == expected
        database.close()


def test_data_has_every_kind_of_change() -> None:
    """A snapshot, creations, updates, deletions with a tombstone behind each, and customers who leave."""
    log = events()
    kinds = {event.value.op for event in log if event.value is not None}
    assert kinds == {"r", "c", "u", "d"}
    for before, event in pairwise(log):
        if event.value is None:
            assert (before.key, before.value.op) == (event.key, "d")
    assert any(event.value is None for event in log if event.topic.endswith("customers"))


def test_fields_of_debezium_that_nobody_reads_are_passed_over(drive: Drive) -> None:
    """Its envelopes have a source and times as well, the rows columns that are not ours."""
    driver = drive(app, [])
    envelope = (
        b'{"before": null, "after": {"id": 1, "name": "Ann", "country": "NL", "phone": "1"}, "op": "c", '
        b'"source": {"version": "3.0.0.Final", "connector": "postgresql", "lsn": 24023128}, "ts_ms": 1}'
    )
    driver.input_topic("shop.public.customers", value=bytes).pipe(envelope, key=Id(1))
    assert driver.store("customers").get(Id(1)) == Customer(1, "Ann", "NL")
    assert msgspec.json.decode(envelope, type=Change[Customer]).after == Customer(1, "Ann", "NL")


def test_run_on_a_broker_tells_the_tables(
    bootstrap_servers: str, capsys: pytest.CaptureFixture[str], database: Database
) -> None:
    """What the database has."""
    main(bootstrap_servers)
    first, second, _, *lines = capsys.readouterr().out.splitlines()
    assert first.startswith(f"{len(events())} change events (")
    ((customers,),) = database.ask("select count(*) from customers")
    ((orders,),) = database.ask("select count(*) from orders")
    assert second == f"the tables now have {customers} customers and {orders} orders:"
    told = [line.split() for line in lines[:-2]]
    expected = {country: [str(orders), f"{cents / 100:,.2f}"] for country, orders, cents in database.ask(SALES)}
    assert {country: row for country, *row in told if row[0] != "0"} == expected
    ((number, cents),) = database.ask("select id, cents from orders order by cents desc, id limit 1")
    assert lines[-2].startswith(f"the largest is order {number}, {cents / 100:.2f}, of ")
    assert f"id={number}, " in lines[-1]
