"""Every rendering of a topology: whole, stable, and in the form its reader expects."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams import App, F, KStream, Materialized, Processor, Stores, count, tumbling
from streams.plan.plan import Plan
from streams.render import code, describe, document, dot, mermaid
from streams.render.sketch import steps
from tests.stores.custom_stores import Board, SortedStore
from tests.streams.examples import examples

RENDERINGS: list[Callable[[Plan], str]] = [describe, mermaid, dot, document, code]


class Visit(msgspec.Struct):
    user: str
    page: str


def visits() -> App:
    """A join, a branch and a windowed count behind a repartition."""
    app = App("visits")
    users = app.table("users", key=str, value=dict)
    stream = app.stream("visits", key=str, value=Visit)
    joined = stream.join(users, lambda visit, user: visit, value=Visit)
    branches = joined.split().branch(F.page == "/", name="home").default_branch(name="rest")
    branches["home"].to("home")
    (
        branches["rest"]
        .group_by(F.page)
        .windowed_by(tumbling(timedelta(minutes=1), grace=timedelta(0)))
        .aggregate(views=count(), store="views")
        .to_stream()
        .to("views")
    )
    return app


TEXT = """\
Topologies:
   Sub-topology: 0
    Source: users-source (topics: [users])
      --> users-table
    Processor: users-table (stores: [users-table])
      --> none
      <-- users-source
    Source: visits (topics: [visits])
      --> visits-join
    Processor: visits-join (stores: [users-table])
      --> visits-branch
      <-- visits
    Processor: visits-branch (stores: [])
      --> visits-branch-home, visits-branch-rest
      <-- visits-join
    Processor: visits-branch-home (stores: [])
      --> visits-home-sink
      <-- visits-branch
    Processor: visits-branch-rest (stores: [])
      --> visits-rest-select-key
      <-- visits-branch
    Sink: visits-home-sink (topic: home)
      <-- visits-branch-home
    Processor: visits-rest-select-key (stores: [])
      --> views-repartition-sink
      <-- visits-branch-rest
    Sink: views-repartition-sink (topic: visits-views-repartition)
      <-- visits-rest-select-key

   Sub-topology: 1
    Source: views-repartition-source (topics: [visits-views-repartition])
      --> views
    Processor: views (stores: [views])
      --> views-to-stream
      <-- views-repartition-source
    Processor: views-to-stream (stores: [])
      --> views-sink
      <-- views
    Sink: views-sink (topic: views)
      <-- views-to-stream

Stores:
   Store: users-table (key-value, RocksDB, changelog visits-users-table-changelog)
   Store: views (window, RocksDB, changelog visits-views-changelog, retention 60000 ms)
"""


def test_text_has_the_form_of_kafkas_describe() -> None:
    assert describe(visits().plan()) == TEXT


def test_text_tells_kind_place_and_options_of_every_store() -> None:
    app = App("shop")
    grouped = app.stream("in", key=str, value=str).group_by_key()
    grouped.count(store=Materialized("ttl", ttl=timedelta(seconds=5), persistent=False))
    grouped.count(store=Materialized("last", max_entries=9, logged=False))
    grouped.count(store=Materialized("own", custom=SortedStore, caching=True, changelog={"segment.bytes": "9"}))
    app.add_read_only_store("limits", "limit-topic", key=str, value=str)
    stores = [Stores.custom("board", Board), Stores.session("visits", retention=timedelta(seconds=7))]
    app.stream("other", key=str).process(Processor, stores=[*stores, "limits"])
    app.add_global_store("rates", "rate-topic", key=str, value=str)
    text = describe(app.plan())
    assert text[text.index("Stores:") :].splitlines() == [
        "Stores:",
        "   Store: ttl (key-value, in memory, changelog shop-ttl-changelog, ttl 5000 ms)",
        "   Store: last (key-value, in memory, not logged, max entries 9)",
        "   Store: own (key-value, custom, RocksDB, changelog shop-own-changelog, segment.bytes=9, "
        "changes forwarded at the commit)",
        "   Store: limits (key-value, RocksDB, filled by limit-topic)",
        "   Store: board (custom, RocksDB, changelog shop-board-changelog)",
        "   Store: visits (session, RocksDB, changelog shop-visits-changelog, retention 7000 ms)",
        "   Store: rates (key-value, RocksDB, filled by rate-topic in every worker)",
    ]
    assert "    Processor: other-process (stores: [board, visits, limits])\n" in text
    assert "Sub-topology: 2 for global store (will not generate tasks)\n    Source: rates-source (topics:" in text
    told = json.loads(document(app.plan()))
    assert [store["filled_by"] for store in told["global_stores"]] == ["rate-topic"]
    assert [store["limits"] for sub in told["subtopologies"] for store in sub["stores"]][:2] == [
        {"ttl_ms": 5000},
        {"max_entries": 9},
    ]


@pytest.mark.parametrize("render", RENDERINGS)
def test_rendering_of_the_same_declaration_is_the_same(render: Callable[[Plan], str]) -> None:
    assert render(visits().plan()) == render(visits().plan())


def test_dot_has_a_node_for_everything_that_an_edge_names() -> None:
    text = dot(visits().plan())
    assert text.startswith('digraph "visits" {\n')
    assert text.count("{") == text.count("}")
    lines = [line.strip() for line in text.splitlines()]
    declared = {line.split(" [")[0] for line in lines if "[label=" in line and "->" not in line}
    named = {end for line in lines if " -> " in line for end in line.rstrip(";").split(" [")[0].split(" -> ")}
    assert named == declared
    assert '"store/views" [label="views\\nwindow", shape=cylinder];' in lines


def test_dot_and_mermaid_survive_any_name() -> None:
    app = App("app")
    app.stream("in", key=str).map_values(lambda value: value, name='a "b" \\ c').to("out")
    assert r'"0/a \"b\" \\ c"' in dot(app.plan())
    assert "a #quot;b#quot;" in mermaid(app.plan())


def test_json_tells_what_the_text_tells() -> None:
    plan = visits().plan()
    read: dict[str, Any] = json.loads(document(plan))
    assert read["application_id"] == "visits"
    assert read["copartitioned"] == [["visits", "users"]]
    first, second = read["subtopologies"]
    assert first["sources"] == [{"topic": "users", "role": "table"}, {"topic": "visits", "role": "stream"}]
    assert first["sinks"] == ["home"]
    assert second["stores"] == [
        {
            "name": "views",
            "kind": "window",
            "changelog": "visits-views-changelog",
            "key_serde": "String",
            "persistent": True,
            "custom": False,
            "filled_by": None,
            "caching": False,
            "changelog_settings": {},
            "limits": {"retention_ms": 60_000},
        }
    ]
    assert read["global_stores"] == []
    join = next(step for step in first["steps"] if step["operator"] == "join")
    assert (join["stores"], join["successors"]) == (["users-table"], ["visits-branch"])
    assert join["declared"].startswith(f"{__file__}:")
    names = [step["name"] for sub in read["subtopologies"] for step in sub["steps"]]
    assert all(f": {name} (" in describe(plan) for name in names)


# -- names ------------------------------------------------------------------------------------------------------------

OPERATORS: dict[str, Callable[[KStream[Any, Any]], KStream[Any, Any]]] = {
    "filter": lambda stream: stream.filter(F.user == "ann"),
    "map_values": lambda stream: stream.map_values(lambda value: value, value=Visit),
    "select_key": lambda stream: stream.select_key(F.user),
    "repartition": lambda stream: stream.repartition(),
    "to_table": lambda stream: stream.to_table().to_stream(),
    "peek": lambda stream: stream.peek(lambda key, value: None),
}
ENDS: dict[str, Callable[[KStream[Any, Any]], Any]] = {
    "count": lambda stream: stream.group_by(F.page).count(),
    "windowed": lambda stream: (
        stream.group_by_key().windowed_by(tumbling(timedelta(seconds=1), grace=timedelta(0))).count()
    ),
    "to": lambda stream: stream.to("out"),
}
CHAIN = st.tuples(st.lists(st.sampled_from(sorted(OPERATORS)), max_size=4), st.sampled_from(sorted(ENDS)))


@given(st.lists(CHAIN, min_size=1, max_size=3), st.lists(st.tuples(CHAIN, st.integers(0, 3)), max_size=3))
@examples(30)
def test_names_stay_when_unrelated_operators_are_added(chains: list[Any], others: list[Any]) -> None:
    """Steps, stores, internal topics and what leads to what: all as before, whatever stands between or in front."""

    def steps_of(added: list[Any]) -> set[Any]:
        declared = [(f"mine{number}", chain) for number, chain in enumerate(chains)]
        for number, (chain, place) in enumerate(added):
            declared.insert(min(place, len(declared)), (f"other{number}", chain))
        app = App("app")
        for topic, (operators, end) in declared:
            stream: KStream[Any, Any] = app.stream(topic, key=str, value=Visit)
            for operator in operators:
                stream = OPERATORS[operator](stream)
            ENDS[end](stream)
        plan = app.plan()
        partitions = plan.partitions(dict.fromkeys(plan.source_topics(), 2))
        found: set[Any] = {topic.name for topic in partitions.internal_topics}
        for subtopology in plan.subtopologies:
            for step in steps(subtopology):
                found.add((step.name, step.operator, step.topics, step.stores, step.successors, step.predecessors))
        return found

    assert steps_of([]) <= steps_of(others)


def test_foreign_key_join_shows_both_ways_and_who_subscribed() -> None:
    app = App("shop")
    orders = app.table("orders", key=str, value=dict)
    customers = app.table("customers", key=str, value=dict)
    orders.join(customers, lambda order, customer: order, foreign_key=F["customer"], name="bills")
    plan = app.plan()
    left, right = ({step.name: step for step in steps(sub)} for sub in plan.subtopologies)
    assert left["bills-subscription-registration-sink"].topics == ("shop-bills-subscription-registration-topic",)
    assert right["bills-subscription-registration-source"].successors == ("bills-subscription-join",)
    assert right["bills-subscription-join"].stores == ("bills-subscription-store", "customers-table")
    assert right["bills-foreign-table-join"].stores == ("bills-subscription-store",)
    assert right["bills-subscription-response-sink"].topics == ("shop-bills-subscription-response-topic",)
    assert left["bills-subscription-response-source"].successors == ("bills-response-join",)
    assert left["bills-response-join"].stores == ("orders-table",)
    for render in RENDERINGS:
        assert "shop-bills-subscription-response-topic" in render(plan)
