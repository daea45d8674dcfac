"""A method that another handle has: the error says which one, and how to get there."""

from __future__ import annotations

import copy
from collections.abc import AsyncIterable, Iterable
from datetime import timedelta
from typing import Any, cast

import pytest

from streams import App, F, session, tumbling
from streams.dsl.missing_method import OTHER_NAMES
from streams.dsl.steps import HOMES, STEPS, methods

NOW = timedelta(0)


def handles() -> dict[str, Any]:
    app = App("app")
    stream = app.stream("in", key=str, value=dict)
    grouped = stream.group_by_key()
    cogrouped = grouped.cogroup(lambda key, value, aggregate: aggregate)
    table = app.table("rows", key=str, value=dict)
    minute, pause = tumbling(timedelta(minutes=1), grace=NOW), session(timedelta(minutes=1), grace=NOW)
    return {
        "App": app,
        "KStream": stream,
        "BranchedStream": stream.split(),
        "GroupedStream": grouped,
        "WindowedStream": grouped.windowed_by(minute),
        "SessionWindowedStream": grouped.windowed_by(pause),
        "CogroupedStream": cogrouped,
        "WindowedCogroupedStream": cogrouped.windowed_by(minute),
        "SessionWindowedCogroupedStream": cogrouped.windowed_by(pause),
        "KTable": table,
        "GroupedTable": table.group_by(F.city),
        "GlobalKTable": app.global_table("all", key=str, value=dict),
    }


def told(kind: str, name: str) -> str:
    with pytest.raises(AttributeError) as caught:
        getattr(handles()[kind], name)
    message = str(caught.value)
    assert message.startswith(f"'{kind}' object has no attribute '{name}'")
    return message


@pytest.mark.parametrize(
    ("kind", "name", "cure"),
    [
        ("KStream", "count", "a GroupedStream has it, write .group_by_key().count(…)"),
        ("KStream", "windowed_by", ".group_by_key().windowed_by(…)"),
        ("KStream", "sum", ".group_by_key().aggregate(total=sum_(F.…))"),
        ("KStream", "mapValues", "write .map_values(…)"),
        ("KStream", "to_stream", "it is a KStream already"),
        ("KStream", "tumbling_window", ".group_by_key().windowed_by(tumbling(…))"),
        ("KStream", "fliter", "write .filter(…)"),
        ("GroupedStream", "to", ".aggregate(…).to_stream().to(…), or call it on the stream before"),
        ("GroupedStream", "mean", "write .aggregate(mean=mean(F.…))"),
        ("WindowedStream", "suppress", "a KTable has it, write .aggregate(…).suppress(…)"),
        ("KTable", "to", "a KStream has it, write .to_stream().to(…)"),
        ("KTable", "count", "a GroupedTable has it, write .group_by(…).count(…)"),
        ("KTable", "windowed_by", ".to_stream().group_by_key().windowed_by(…)"),
        ("GroupedTable", "filter", ".aggregate(…).filter(…), or call it on the table before"),
        ("GlobalKTable", "to_stream", "only looked up in, stream.join(it, joiner, on=…)"),
        ("App", "topic", "write .stream(…)"),
        ("App", "Table", "write .table(…)"),
    ],
)
def test_missing_method_says_what_to_write(kind: str, name: str, cure: str) -> None:
    assert cure in told(kind, name)


@pytest.mark.parametrize("kind", list(STEPS))
def test_every_step_is_a_method_that_makes_the_handle_it_says(kind: str) -> None:
    handle = handles()[kind]
    assert type(handle).__name__ == kind
    assert {call.partition("(")[0] for call in STEPS[kind]} <= set(methods(kind))
    assert STEPS.keys() == HOMES.keys()


def test_every_other_name_leads_to_a_method() -> None:
    ours = {method for kind in STEPS for method in methods(kind)}
    for name, call in OTHER_NAMES.items():
        assert call.partition("(")[0] in ours, name


def test_unknown_and_private_names_are_plain_attribute_errors() -> None:
    assert told("KStream", "xyzzy") == "'KStream' object has no attribute 'xyzzy'"
    assert told("KTable", "_repr_html_") == "'KTable' object has no attribute '_repr_html_'"
    assert not hasattr(handles()["KStream"], "count")
    assert repr(copy.copy(handles()["KTable"])) == repr(handles()["KTable"])


def test_handle_is_no_container_of_records() -> None:
    stream = handles()["KStream"]
    with pytest.raises(TypeError, match=r"holds no records to take 'amount' from: .* as in filter\(F.amount > 0\)"):
        stream["amount"]
    with pytest.raises(TypeError, match="a KStream is a description and holds no records"):
        list(cast(Iterable[Any], stream))
    with pytest.raises(TypeError, match="holds no records to go through: foreach"):
        aiter(cast(AsyncIterable[Any], stream))
