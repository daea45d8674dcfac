"""Stores whose rows go by themselves, against models: bounded ones and those with a time to live, with crashes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Literal, NamedTuple, Protocol

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streams import App, Json, Materialized, Processor, Record, Stores
from streams.state import StoreDeclaration
from streams.testing import TopologyTestDriver

TTL_MS = 10
ENTRIES = 3
KEYS = st.sampled_from("abcde")
TIMES = st.integers(0, 40)
Place = Literal["memory", "rocksdb"]


class Command(NamedTuple):
    """One record of the processor's input: what is done to the store, and when in event time."""

    do: str
    key: str
    time: int


class Event(NamedTuple):
    """Something that happens to the driver."""

    do: Literal["commit", "crash", "lose"]


commands = st.builds(Command, st.sampled_from(["put", "put", "get", "delete", "if_absent", "all"]), KEYS, TIMES)
events = st.builds(Event, st.sampled_from(["commit", "crash", "lose"]))
scripts = st.lists(st.one_of(commands, commands, commands, events), max_size=60)


class Runs(Processor[str, Any, str, Any]):
    """Carries commands out; the answer is what it forwards."""

    def process(self, record: Record[str, Any]) -> None:
        store: Any = self.context.store("s")
        do, value = record.value
        key, answer = record.key, None
        if do == "put":
            store.put(key, value)
        elif do == "get":
            answer = store.get(key)
        elif do == "delete":
            answer = store.delete(key)
        elif do == "if_absent":
            answer = store.put_if_absent(key, value)
        else:
            with store.all() as entries:
                answer = [list(entry) for entry in entries]
        self.context.forward(record.with_value(answer))


class Model(Protocol):
    def run(self, command: Command, value: int) -> Any: ...
    def restored(self) -> None: ...


class ExpiringModel:
    """A row is there while stream time < its timestamp + ttl; stream time is the largest timestamp so far."""

    def __init__(self) -> None:
        self.time = -1
        self.rows: dict[str, tuple[int, int]] = {}

    def run(self, command: Command, value: int) -> Any:
        self.time = max(self.time, command.time)
        there = {k: row for k, row in self.rows.items() if self.time < row[1] + TTL_MS}
        present = there.get(command.key, (None, 0))[0]
        if command.do == "put" or (command.do == "if_absent" and present is None):
            self.rows[command.key] = (value, command.time)
        elif command.do == "delete":
            self.rows.pop(command.key, None)
        if command.do == "all":
            return [[k, there[k][0]] for k in sorted(there)]
        return None if command.do == "put" else present

    def restored(self) -> None:
        """A restart changes nothing."""


class BoundedModel:
    """Rows in the order of their last use; a restart leaves the order of the last puts."""

    def __init__(self) -> None:
        self.rows: dict[str, int] = {}
        self.put_order: dict[str, None] = {}

    def run(self, command: Command, value: int) -> Any:
        key = command.key
        present = self.rows.get(key)
        if command.do != "all" and command.do != "put" and present is not None:
            self.rows[key] = self.rows.pop(key)
        if command.do == "put" or (command.do == "if_absent" and present is None):
            self.rows.pop(key, None)
            self.rows[key] = value
            self.put_order.pop(key, None)
            self.put_order[key] = None
            if len(self.rows) > ENTRIES:
                del self.rows[next(iter(self.rows))]
        elif command.do == "delete":
            self.rows.pop(key, None)
        if command.do == "all":
            return [[k, self.rows[k]] for k in sorted(self.rows)]
        return None if command.do == "put" else present

    def restored(self) -> None:
        self.rows = {key: self.rows[key] for key in self.put_order if key in self.rows}


def check(store: StoreDeclaration[Any], model: Model, script: list[Command | Event], place: Place, commit: Any) -> None:
    app = App("app")
    app.stream("in", key=str, value=Json()).process(Runs, stores=[store], value=Json()).to("out")
    with TopologyTestDriver(app, stores=place, commit=commit) as driver:
        ins, outs = driver.input_topic("in"), driver.output_topic("out")
        wanted: list[Any] = []
        for number, step in enumerate(script):
            if isinstance(step, Command):
                ins.pipe([step.do, number], key=step.key, timestamp=step.time)
                wanted.append(model.run(step, number))
            elif step.do == "commit":
                driver.commit()
            else:
                driver.restart(lose_state=step.do == "lose")
                model.restored()
        assert [record.value for record in outs.read_all()] == wanted


quick = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
slow = settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@quick
@given(scripts, st.sampled_from(["record", "manual"]), st.booleans())
def test_store_with_a_ttl_is_as_its_model_says(
    script: list[Command | Event], commit: Literal["record", "manual"], persistent: bool
) -> None:
    store = Stores.key_value("s", value=int, ttl=timedelta(milliseconds=TTL_MS), persistent=persistent)
    check(store, ExpiringModel(), script, "memory", commit)


@slow
@given(scripts)
def test_store_with_a_ttl_in_rocksdb_is_as_its_model_says(script: list[Command | Event]) -> None:
    check(
        Stores.key_value("s", value=int, ttl=timedelta(milliseconds=TTL_MS)),
        ExpiringModel(),
        script,
        "rocksdb",
        "manual",
    )


@quick
@given(scripts)
def test_bounded_store_is_as_its_model_says(script: list[Command | Event]) -> None:
    check(Stores.lru("s", value=int, max_entries=ENTRIES), BoundedModel(), script, "memory", "record")


@quick
@given(st.lists(commands, max_size=60), st.lists(st.integers(0, 59), max_size=5))
def test_commits_make_no_difference_to_a_bounded_store(script: list[Command], commits: list[int]) -> None:
    steps: list[Command | Event] = []
    for number, command in enumerate(script):
        steps += [command, Event("commit")] if number in commits else [command]
    check(Stores.lru("s", value=int, max_entries=ENTRIES), BoundedModel(), steps, "memory", "manual")


@quick
@given(st.lists(st.one_of(st.tuples(KEYS, TIMES), events), max_size=50), st.sampled_from(["record", "manual"]))
def test_count_with_a_ttl_is_as_its_model_says(
    script: list[tuple[str, int] | Event], commit: Literal["record", "manual"]
) -> None:
    """An aggregate's time is the largest of its records since it began."""
    app = App("app")
    counted = app.stream("in", key=str, value=int).group_by_key()
    store = Materialized("n", ttl=timedelta(milliseconds=TTL_MS))
    counted.count(store=store).to_stream().to("out")
    time, rows, wanted = -1, dict[str, tuple[int, int]](), list[tuple[str, int, int]]()
    with TopologyTestDriver(app, commit=commit) as driver:
        for step in script:
            if isinstance(step, Event):
                driver.commit() if step.do == "commit" else driver.restart(lose_state=step.do == "lose")
                continue
            key, timestamp = step
            time = max(time, timestamp)
            known, since = rows.get(key, (0, -1))
            if time >= since + TTL_MS:
                known, since = 0, timestamp
            rows[key] = known + 1, max(since, timestamp)
            wanted.append((key, *rows[key]))
            driver.input_topic("in").pipe(1, key=key, timestamp=timestamp)
        assert [(r.key, r.value, r.timestamp) for r in driver.output_topic("out").read_all()] == wanted
        alive = {key: row[0] for key, row in rows.items() if time < row[1] + TTL_MS}
        assert driver.store("n").all() == alive


@pytest.mark.parametrize("lose_state", [False, True])
def test_ttl_counts_from_the_timestamp_of_the_row(lose_state: bool) -> None:
    """A timestamped store takes the timestamp it is given."""

    class Puts(Processor[str, int]):
        def process(self, record: Record[str, int]) -> None:
            self.context.store("s").put(record.key, (record.value, record.value))

    app = App("app")
    store = Stores.timestamped_key_value("s", value=int, ttl=timedelta(milliseconds=TTL_MS))
    app.stream("in", key=str, value=int).process(Puts, stores=[store]).to("out")
    with TopologyTestDriver(app) as driver:
        driver.input_topic("in").pipe_all([("old", 1, 20), ("new", 15, 20), ("later", 99, 20)])
        driver.restart(lose_state=lose_state)
        assert driver.store("s").all() == {"new": 15, "later": 99}
