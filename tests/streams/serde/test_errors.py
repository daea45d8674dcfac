"""Errors: attributes for programs, messages with place and cure for people."""

from __future__ import annotations

import pytest

from streams.errors import (
    ConfigError,
    ProcessingError,
    ProduceError,
    QueryError,
    SerdeError,
    SourceLine,
    StateError,
    StreamsError,
    TaskFencedError,
    TopologyError,
    TopologyProblem,
)


def test_topology_error_lists_every_problem_with_its_line() -> None:
    problems = [
        TopologyProblem(message="no such field", origin=SourceLine("app.py", 3)),
        TopologyProblem(message="no topic"),
    ]
    error = TopologyError(problems)
    assert error.problems == tuple(problems)
    assert str(error) == "the topology has 2 problems:\n  app.py:3: no such field\n  no topic"
    assert str(TopologyError(problems[:1])) == "app.py:3: no such field"


def test_serde_error_names_part_place_type_cause_and_cure() -> None:
    cause = ValueError("bad byte")
    error = SerdeError(part="value", type_name="Flight", topic="flights", partition=3, offset=17, cause=cause)
    assert (error.part, error.type_name, error.topic, error.partition, error.offset) == (
        "value",
        "Flight",
        "flights",
        3,
        17,
    )
    assert error.cause is cause
    assert error.__cause__ is cause
    assert str(error).startswith("the value of flights[3] at offset 17 is no valid Flight: ValueError: bad byte; ")
    writing = SerdeError(part="key", type_name="str", topic="out", action="serialize")
    assert "the key of a record for out cannot be written as str" in str(writing)


def test_processing_error_names_node_function_declaration_key_and_record() -> None:
    error = ProcessingError(
        node="map-values-1",
        function="enrich",
        file="app.py",
        line=9,
        key="k",
        topic="flights",
        partition=0,
        offset=5,
        cause=KeyError("x"),
    )
    assert str(error).startswith(
        "map-values-1 (app.py:9) failed in enrich for key 'k' of flights[0] at offset 5: KeyError: 'x'; "
    )
    assert isinstance(error.__cause__, KeyError)


@pytest.mark.parametrize(
    "error",
    [
        ConfigError("x", setting="a"),
        TopologyError([]),
        SerdeError(part="key", type_name="str"),
        ProcessingError(node="n"),
        ProduceError("x", topic="t", retriable=True),
        StateError("x", task="0_1", store="s"),
        TaskFencedError("x", task="0_1"),
        QueryError("x", store="s"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_every_error_is_a_streams_error_that_says_whether_it_is_retriable(error: StreamsError) -> None:
    assert isinstance(error, StreamsError)
    assert error.retriable is isinstance(error, ProduceError)
