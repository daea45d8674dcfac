"""How a declaration becomes sub-topologies, internal topics and tasks."""

from __future__ import annotations

from datetime import timedelta

import pytest

from streams import App, F, TopologyError, count, tumbling
from streams.plan.task_id import TaskId
from streams.render import code, describe, mermaid
from tests.streams.topology.flights import flight_delays


def test_plan_of_rekeyed_stream_is_cut_at_the_repartition_topic() -> None:
    """The re-keyed half of the flights job is a sub-topology of its own, behind one internal topic."""
    plan = flight_delays().plan()
    assert [[s.topic for s in sub.sources] for sub in plan.subtopologies] == [
        ["flights", "airports"],
        ["flight-delays-delays-by-state-repartition"],
    ]
    assert [[s.name for s in sub.stores] for sub in plan.subtopologies] == [
        ["airports-source-table"],
        ["delays-by-state"],
    ] or [[s.name for s in sub.stores] for sub in plan.subtopologies] == [["airports-table"], ["delays-by-state"]]
    (sink,) = plan.subtopologies[0].repartition_sinks
    assert sink.sources == ("flights",)


def test_plan_partitions_fits_internal_topics_to_the_sources() -> None:
    """Repartition and changelog topics have as many partitions as the tasks that write them."""
    fitted = flight_delays().plan().partitions({"flights": 4, "airports": 4})
    assert {topic.name: topic.partitions for topic in fitted.internal_topics} == {
        "flight-delays-airports-table-changelog": 4,
        "flight-delays-delays-by-state-repartition": 4,
        "flight-delays-delays-by-state-changelog": 4,
    }
    assert fitted.tasks == tuple(TaskId(sub, p) for sub in (0, 1) for p in range(4))
    assert fitted.inputs(TaskId(0, 2)) == (("flights", 2), ("airports", 2))
    assert fitted.upstream_tasks("flight-delays-delays-by-state-repartition") == fitted.tasks_of(0)


def test_plan_partitions_unequal_join_topics_are_refused() -> None:
    """Joined topics with different counts are named with their counts and the join's line."""
    with pytest.raises(TopologyError, match=r"flight_delays\.py.*'flights' has 4.*'airports' has 3"):
        flight_delays().plan().partitions({"flights": 4, "airports": 3})


def test_plan_partitions_missing_topic_is_named() -> None:
    with pytest.raises(TopologyError, match="source topic 'airports' does not exist"):
        flight_delays().plan().partitions({"flights": 4})


def test_plan_unrelated_operator_renames_nothing() -> None:
    """Names follow from the operator's own chain: a filter, or another chain, shifts none of them."""

    def names(extra: bool) -> set[str]:
        app = App("app")
        if extra:
            app.stream("other", key=str).group_by_key().count()
        stream = app.stream("events", key=str)
        if extra:
            stream = stream.filter(lambda key, value: True)
        stream.group_by(F.user, key=str).count()
        fitted = app.plan().partitions({"events": 2, "other": 2})
        return {topic.name for topic in fitted.internal_topics}

    assert names(False) == {"app-events-count-repartition", "app-events-count-changelog"}
    assert names(False) < names(True)


def test_plan_several_mistakes_are_reported_together_with_their_lines() -> None:
    """One error lists every mistake, each with the line that made it."""
    app = App("app")
    stream = app.stream("events", key=str, value=object())
    stream.filter(lambda only: True)  # pyright: ignore
    stream.map_values(lambda a, b, c: a)  # pyright: ignore
    stream.to("not a topic!")
    group = stream.group_by_key()
    group.count(store="twice")
    group.count(store="twice")
    group.aggregate(lambda: 0)
    group.aggregate(total="sum")  # pyright: ignore
    group.windowed_by(tumbling(timedelta(minutes=1), grace=timedelta(0))).count(retention=timedelta(seconds=1))
    stream.repartition(partitions=0)
    with pytest.raises(TopologyError) as caught:
        app.plan()
    assert len(caught.value.problems) == 9
    assert all(problem.origin and problem.origin.file == __file__ for problem in caught.value.problems)
    assert len({problem.origin.line for problem in caught.value.problems if problem.origin}) == 9


def test_plan_without_sources_is_refused() -> None:
    with pytest.raises(TopologyError, match="reads no topic"):
        App("app").plan()


def test_plan_same_topic_twice_is_read_once() -> None:
    """Two declarations of one topic share the source; different declarations are a mistake."""
    app = App("app")
    app.stream("events", key=str, value=dict).to("a")
    app.stream("events", key=str, value=dict).to("b")
    (sub,) = app.plan().subtopologies
    assert [source.topic for source in sub.sources] == ["events"]
    app.stream("events", key=str, value=str).to("c")
    with pytest.raises(TopologyError, match="read twice in different ways"):
        app.plan()


def test_plan_same_topics_in_another_order_are_read_once() -> None:
    app = App("app")
    app.stream(["events", "others", "events"], key=str, value=dict).to("a")
    app.stream(["others", "events"], key=str, value=dict).to("b")
    (sub,) = app.plan().subtopologies
    assert [source.topic for source in sub.sources] == ["events", "others"]


def test_plan_same_topic_as_two_tables_is_refused() -> None:
    app = App("app")
    for store in ("one", "two"):
        app.table("prices", key=str, value=int, store=store)
    with pytest.raises(TopologyError, match="'prices' is read twice as a table"):
        app.plan()


def test_render_text_follows_kafka_streams() -> None:
    text = describe(flight_delays().plan())
    assert "   Sub-topology: 1" in text
    assert "Source: flights (topics: [flights])" in text
    assert "Processor: delays-by-state (stores: [delays-by-state])" in text
    assert "(topic: delays)" in text


def test_render_mermaid_draws_topics_stores_and_boxes() -> None:
    text = mermaid(flight_delays().plan())
    assert text.startswith("flowchart LR\n")
    assert '(["flights"])' in text
    assert '[("delays-by-state<br/>window")]' in text
    assert text.count("subgraph") == text.count("    end\n") == 2


def test_render_code_shows_one_module_per_subtopology() -> None:
    text = code(flight_delays().plan())
    assert text.count("def build(binding, processors):") == 2
    compile(text, "generated", "exec")


def test_plan_is_made_once_for_the_same_declaration() -> None:
    app = App("app")
    app.stream("events", key=str).group_by_key().aggregate(n=count())
    assert app.plan() is app.plan()


def by_value(key: str, value: str | None) -> str:
    return value or ""


@pytest.mark.parametrize("optimization", ["none", "all"])
def test_joins_of_a_chain_that_changes_its_key_twice_get_topics_of_different_names(optimization: str) -> None:
    app = App("app", topology_optimization=optimization)
    names, places = app.table("names", key=str, value=str), app.table("places", key=str, value=str)
    once = app.stream("in", key=str, value=str).select_key(by_value, key=str).left_join(names, lambda a, b: b)
    once.select_key(by_value, key=str).left_join(places, lambda a, b: b).to("out")
    topics = {sink.topic for sub in app.plan().subtopologies for sink in sub.repartition_sinks}
    assert topics == {"app-in-join-repartition", "app-in-join-2-repartition"}
