"""Samples of stacks are counted to the steps of a record's way."""

from __future__ import annotations

import pytest

from bench.steps import counted, step_of

GENERATED = [
    "def run_topic_events(messages, start, end, limit):",
    "    m = messages[index]",
    "    value_2 = deserialize_Json_Event(raw)",
    "    row = table_get(kb, MISSING)",
    "    vb = serialize_Json_Cents(value_3)",
    "    produce('out', vb, kb, -1, None, None, ts, m.headers())",
    "    value_3 = joiner(value_2, (row[0]))",
]
FLOOR = [
    "def send(topic):",
    "    produce(topic)",
    "def main():",
    "    for m in consumer.consume(1000, 0.1):",
    "        event = decode(m.value())",
    "        if event.amount >= 50:",
    "        if time.monotonic() - committed >= 1:",
    "            send(changelog)",
]
SOURCES = {"0>": GENERATED, "bench/floor/filter_map.py": FLOOR}
TURN = "StreamThread._turn (streams/runtime/stream_thread.py:150)"


@pytest.mark.parametrize(
    ("line", "step"), [(2, "consume"), (3, "decode"), (4, "operators"), (5, "encode"), (6, "produce"), (7, "operators")]
)
def test_line_of_generated_code_tells_the_step(line: int, step: str) -> None:
    assert step_of([TURN, f"run_topic_events (0>:{line})"], SOURCES) == step


def test_function_of_the_user_counts_to_the_operator_that_calls_it() -> None:
    stack = [TURN, "run_topic_events (0>:7)", "named (bench/headrace/stream_table_join.py:30)"]
    assert step_of(stack, SOURCES) == "operators"


def test_line_of_a_floor_program_tells_the_step() -> None:
    def step(line: int) -> str | None:
        return step_of(["<module> (bench/floor/filter_map.py:8)", f"main (bench/floor/filter_map.py:{line})"], SOURCES)

    assert [step(line) for line in (4, 5, 6)] == ["consume", "decode", "operators"]


def test_what_a_floor_program_sends_at_its_commit_counts_to_the_commit() -> None:
    stack = ["main (bench/floor/filter_map.py:8)", "send (bench/floor/filter_map.py:2)"]
    assert step_of(stack, SOURCES) == "commit"


@pytest.mark.parametrize(
    ("frame", "step"),
    [
        ("StreamThread._fetch (streams/runtime/stream_thread.py:230)", "consume"),
        ("Router.route (streams/runtime/router.py:100)", "route"),
        ("_commit_when_due (streams/runtime/stream_thread.py:320)", "commit"),
        ("poll (streams/runtime/producer.py:80)", "produce"),
        ("_publish (streams/runtime/stream_thread.py:300)", "the rest"),
    ],
)
def test_work_around_the_generated_code_is_told_by_its_function(frame: str, step: str) -> None:
    assert step_of([TURN, frame], SOURCES) == step


def test_stacks_outside_of_the_loop_are_not_counted() -> None:
    lines = ["import_module (importlib:1) 7", f"{TURN};_fetch (streams/runtime/stream_thread.py:230) 3"]
    assert counted("\n".join(lines), SOURCES) == {"consume": 3}
