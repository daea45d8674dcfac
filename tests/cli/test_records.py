"""`headrace produce` and `headrace consume` on a broker."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from confluent_kafka import Producer

from broker import Broker
from streams.cluster.clients import producer
from streams.cluster.topic_names import ASKS_ONLY, topic_exists, topic_names
from streams.partitioner import partition_for_key
from tests.cli.conftest import A_SECOND_APART, Headrace


def records(headrace: Headrace, topic: str, *options: str) -> list[dict[str, object]]:
    done = headrace("consume", topic, "--until-end", "--json", *options)
    assert done.exit_code == 0, done.stderr
    return sorted((json.loads(line) for line in done.stdout.splitlines()), key=lambda r: (r["partition"], r["offset"]))


def test_produce_argument_comes_back_from_consume(on_broker: Headrace, topic: str) -> None:
    """Key, value, timestamp and headers arrive as they were given; JSON is passed through."""
    done = on_broker(
        "produce", topic, '{"delay": 3}', "--key", "SEA", "--timestamp", "2001-01-01T00:01:00Z", "-H", "trace=1"
    )
    assert (done.exit_code, done.stdout) == (0, "")
    assert done.stderr == f"there is no topic {topic} yet\n1 record to {topic}\n"
    assert records(on_broker, topic) == [
        {
            "topic": topic,
            "partition": partition_for_key(b"SEA", 2),
            "offset": 0,
            "timestamp": 978307260000,
            "key": "SEA",
            "value": {"delay": 3},
            "headers": [["trace", "1"]],
        }
    ]


def test_produce_record_of_time_zero_does_not_get_the_present(on_broker: Headrace, topic: str) -> None:
    """Nor one that says nothing else in JSON; null there is the present."""
    on_broker("produce", topic, "a", "--timestamp", "1970-01-01", "-p", "0")
    lines = '{"value": "b", "timestamp": 0}\n{"value": "c", "timestamp": null}\n{"value": "d"}\n'
    on_broker("produce", topic, "--json", "-p", "0", "--timestamp", "0", stdin=lines)
    times = {str(r["value"]): r["timestamp"] for r in records(on_broker, topic)}
    assert (times.pop("a"), times.pop("b"), times.pop("d")) == (1, 1, 1)
    assert isinstance(now := times["c"], int)
    assert now > 1_000_000_000_000


def test_produce_lines_of_stdin_with_keys(on_broker: Headrace, topic: str) -> None:
    """One record a line; what follows the first separator is the value; empty lines are none."""
    done = on_broker("produce", topic, "-K", ":", "--partition", "1", stdin="a:1\n\nb:2:3\n")
    assert done.stderr.endswith(f"\n2 records to {topic}\n")
    assert [(r["key"], r["value"]) for r in records(on_broker, topic)] == [("a", 1), ("b", "2:3")]


def test_produce_to_a_topic_with_a_typing_error_says_which_there_is(on_broker: Headrace, topic: str) -> None:
    """The broker may make any topic that is written to, so nothing else would tell."""
    assert on_broker("topics", "create", topic).exit_code == 0
    typed = topic.replace("typing", "tipyng")
    done = on_broker("produce", typed, "x")
    assert (done.exit_code, done.stderr) == (
        0,
        f"there is no topic {typed} yet; did you mean {topic}?\n1 record to {typed}\n",
    )
    assert on_broker("produce", typed, "y").stderr == f"1 record to {typed}\n"


def test_produce_to_a_topic_that_is_there_asks_for_no_other(
    on_broker: Headrace, topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cluster may have very many."""
    assert on_broker("topics", "create", topic).exit_code == 0

    def all_of_them(client: object) -> frozenset[str]:
        raise AssertionError("asked for every topic's name")

    monkeypatch.setattr("streams.cli.produce.topic_names", all_of_them)
    assert on_broker("produce", topic, "x").stderr == f"1 record to {topic}\n"


def test_asking_whether_a_topic_is_there_does_not_make_it(running_broker: Broker, topic: str) -> None:
    client = producer({"bootstrap.servers": running_broker.bootstrap_servers}, **ASKS_ONLY)
    assert not topic_exists(client, topic)
    assert topic not in topic_names(client)
    assert not topic_exists(client, "no legal name!")


def test_produce_line_without_separator_names_the_line(on_broker: Headrace, topic: str) -> None:
    """What came before it is on the topic; nothing after it is."""
    done = on_broker("produce", topic, "-K", ":", stdin="a:1\nno key\nb:2\n")
    assert done.exit_code == 1
    assert done.stderr.endswith("\nError: line 2 has no ':' between key and value: 'no key'\n")


def test_produce_tombstone_is_a_null_value(on_broker: Headrace, topic: str) -> None:
    """Null, not an empty string."""
    assert on_broker("produce", topic, "--key", "SEA", "--tombstone").exit_code == 0
    assert [r["value"] for r in records(on_broker, topic)] == [None]


def test_produce_integer_key_is_eight_bytes(on_broker: Headrace, topic: str) -> None:
    """As Kafka's LongSerializer, so that `key=int` reads it."""
    on_broker("produce", topic, "x", "--key", "-7", "--key-type", "int")
    assert [r["key"] for r in records(on_broker, topic, "--key-type", "int")] == [-7]
    assert [r["key"] for r in records(on_broker, topic, "--key-type", "bytes")] == ["0xfffffffffffffff9"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--key", "a", "-K", ":", "x"], "--key or --key-separator, not both"),
        (["--tombstone"], "--tombstone needs --key"),
        (["x", "--key", "abc", "--key-type", "int"], "'abc' is not a 64-bit integer"),
        (["x", "--timestamp", "yesterday"], "neither milliseconds nor an ISO 8601 time"),
        (["x", "--timestamp", "1969-12-31"], "before 1970"),
        (["x", "-H", "trace"], "'trace' is not NAME=VALUE"),
        (["x", "--file", "/dev/null"], "VALUEs or --file, not both"),
        (["--json", "-K", ":"], "--json says what is key"),
    ],
)
def test_produce_wrong_arguments_are_usage_errors(on_broker: Headrace, topic: str, words: list[str], said: str) -> None:
    """Exit code 2 and the reason; nothing is written."""
    done = on_broker("produce", topic, *words)
    assert done.exit_code == 2
    assert said in done.stderr


def test_produce_refused_record_is_one_line(on_broker: Headrace, topic: str) -> None:
    """The broker's reason, exit code 1."""
    assert on_broker("topics", "create", topic).exit_code == 0
    done = on_broker("produce", topic, "x", "--partition", "7")
    assert done.exit_code == 1
    assert done.stderr.startswith(f"Error: {topic}: ")
    assert done.stderr.count("\n") == 1


def test_consume_last_begins_near_the_end(on_broker: Headrace, topic: str) -> None:
    """The newest N of each partition."""
    on_broker("produce", topic, *(str(n) for n in range(10)), "--partition", "0")
    assert [r["value"] for r in records(on_broker, topic, "--last", "3")] == [7, 8, 9]


def test_consume_last_counts_records_and_not_the_markers_of_transactions(
    on_broker: Headrace, running_broker: Broker, topic: str
) -> None:
    """Each of these transactions ends in a marker, which has an offset too."""
    producer = Producer({"bootstrap.servers": running_broker.bootstrap_servers, "transactional.id": topic})
    producer.init_transactions(20)
    for number in range(6):
        producer.begin_transaction()
        producer.produce(topic, str(number), partition=0)
        producer.commit_transaction(20)
    assert [r["value"] for r in records(on_broker, topic, "--last", "1")] == [5]
    assert [r["value"] for r in records(on_broker, topic, "--last", "4")] == [2, 3, 4, 5]
    assert [r["value"] for r in records(on_broker, topic, "--last", "9")] == [0, 1, 2, 3, 4, 5]


def test_consume_max_ends_after_so_many(on_broker: Headrace, topic: str) -> None:
    """Without --until-end it would wait for more."""
    on_broker("produce", topic, "a", "b", "c", "--partition", "0")
    done = on_broker("consume", topic, "--max", "2")
    assert [line.split("\t")[2] for line in done.stdout.splitlines()] == ["a", "b"]


def test_consume_from_end_until_end_is_empty(on_broker: Headrace, topic: str) -> None:
    """Nothing comes after the end of now."""
    on_broker("produce", topic, "a")
    assert on_broker("consume", topic, "--from", "end", "--until-end").stdout == ""


def test_consume_unknown_topic_says_so_and_creates_none(on_broker: Headrace) -> None:
    """Looking at a topic does not make it."""
    for _ in range(2):
        done = on_broker("consume", "never-made", "--until-end")
        assert done.exit_code == 1
        assert "topic 'never-made'" in done.stderr
    assert "never-made" not in on_broker("topics", "list").stdout


@pytest.mark.parametrize("words", [("consume", "--until-end"), ("topics", "describe")], ids=["consume", "describe"])
def test_topic_with_a_typing_error_names_the_one_there_is(
    on_broker: Headrace, topic: str, words: tuple[str, ...]
) -> None:
    on_broker("topics", "create", topic)
    typed = topic.replace("typing", "tipyng")
    done = on_broker(*words, typed)
    assert done.exit_code == 1
    assert done.stderr.endswith(f"; did you mean {topic!r}? `headrace topics` lists those there are\n")


def test_consume_from_a_time_an_offset_and_a_partition(on_broker: Headrace, topic: str) -> None:
    on_broker("topics", "create", topic, "--partitions", "2")
    for partition in ("0", "1"):
        on_broker("produce", topic, "--json", "--partition", partition, stdin=A_SECOND_APART)
    values = lambda *words: [r["value"] for r in records(on_broker, topic, *words)]  # noqa: E731
    assert values("--from", "2001-01-01T00:00:02") == [2, 3, 2, 3]
    assert values("--from", "978307203000", "-p", "1") == [3]
    assert values("--from", "2001-01-02") == []
    assert values("--offset", "3") == [3, 3]
    assert values("--offset", "99") == []
    done = on_broker("consume", topic, "-p", "7", "--until-end")
    assert (done.exit_code, "has no partition 7" in done.stderr) == (1, True)


def test_consume_shows_headers_and_templates(on_broker: Headrace, topic: str) -> None:
    on_broker("produce", topic, "x", "-k", "a", "-H", "trace=1", "-H", "by=me", "--timestamp", "1000", "-p", "0")
    once = lambda *words: on_broker("consume", topic, "--until-end", *words).stdout  # noqa: E731
    assert once("--headers") == "1970-01-01T00:00:01Z\ta\ttrace=1,by=me\tx\n"
    template = r"{topic} {partition}\t{offset:>3} {timestamp} {time} {key} {headers} {value}"
    assert once("--format", template) == f"{topic} 0\t  0 1000 1970-01-01T00:00:01Z a trace=1,by=me x\n"


def test_consume_uncommitted_shows_what_a_transaction_holds_back(
    on_broker: Headrace, running_broker: Broker, topic: str
) -> None:
    on_broker("topics", "create", topic)
    client = Producer({"bootstrap.servers": running_broker.bootstrap_servers, "transactional.id": topic})
    client.init_transactions(20)
    client.begin_transaction()
    client.produce(topic, "pending")
    assert client.flush(20) == 0
    assert on_broker("consume", topic, "--until-end").stdout == ""
    assert on_broker("consume", topic, "--until-end", "--uncommitted").stdout.endswith("pending\n")
    client.abort_transaction(20)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--from", "end", "--last", "1"], "give one of --from, --last and --offset"),
        (["--last", "1", "--offset", "1"], "give one of --from, --last and --offset"),
        (["--from", "yesterday"], "neither milliseconds nor an ISO 8601 time"),
        (["--format", "{nothing}"], "there are {topic}"),
        (["--format", "{key"], "there are {topic}"),
        (["--format", "{key}", "--json"], "--format or --json, not both"),
    ],
)
def test_consume_wrong_arguments_are_usage_errors(on_broker: Headrace, topic: str, words: list[str], said: str) -> None:
    done = on_broker("consume", topic, *words)
    assert done.exit_code == 2
    assert said in done.stderr


def test_produce_takes_back_what_consume_prints_as_json(on_broker: Headrace, topic: str) -> None:
    """Keys, values, headers and times arrive as they were, tombstones too."""
    on_broker("produce", topic, '{"n": 1}', "-k", "a", "-H", "trace=1", "--timestamp", "1000", "-p", "1")
    on_broker("produce", topic, "plain", "--timestamp", "2000", "-p", "1")
    on_broker("produce", topic, "-k", "a", "--tombstone", "--timestamp", "3000", "-p", "1")
    printed = on_broker("consume", topic, "--until-end", "--json").stdout
    done = on_broker("produce", f"{topic}-copy", "--json", "-p", "1", stdin=printed)
    assert done.stderr.endswith(f"\n3 records to {topic}-copy\n")
    copied = [record | {"topic": topic} for record in records(on_broker, f"{topic}-copy")]
    assert copied == records(on_broker, topic)


def test_produce_json_line_that_is_no_record_names_the_line(on_broker: Headrace, topic: str) -> None:
    for line in ("no json", "[1]", '{"headers": 3}', '{"timestamp": "now"}'):
        done = on_broker("produce", topic, "--json", stdin=f'{{"value": "good"}}\n{line}\n')
        assert done.exit_code == 1
        assert "line 2 is no record in JSON" in done.stderr


def test_produce_file_with_a_word_for_null(on_broker: Headrace, topic: str, tmp_path: Path) -> None:
    file = tmp_path / "lines.txt"
    file.write_text("a:1\n\nb:NULL\n")
    done = on_broker("produce", topic, "--file", str(file), "-K", ":", "--null", "NULL", "-p", "0")
    assert done.exit_code == 0, done.stderr
    assert [(r["key"], r["value"]) for r in records(on_broker, topic)] == [("a", 1), ("b", None)]


def test_command_without_a_broker_says_where_it_looked(headrace: Headrace) -> None:
    """One line, at once, with how to get a broker."""
    done = headrace("consume", "words", "-b", "127.0.0.1:1")
    assert done.exit_code == 1
    assert done.stderr.startswith(
        "Error: no broker answers at 127.0.0.1:1 (as given); start one with `headrace broker`"
    )


def test_consume_dir_runs_the_broker_of_a_home_for_the_command(headrace: Headrace, project: Path) -> None:
    """What a stopped `headrace dev` or demo left can be read; nothing runs afterwards."""
    home = project / "home"
    with Broker(home / "broker") as broker:
        assert headrace("produce", "words", "hello", "-b", broker.bootstrap_servers).exit_code == 0
    assert [r["value"] for r in records(headrace, "words", "--dir", str(home))] == ["hello"]
    assert not (home / "broker.json").exists()


def test_dir_without_a_log_is_a_usage_error(headrace: Headrace, project: Path) -> None:
    """A wrong directory is not filled with an empty log."""
    done = headrace("consume", "words", "--dir", str(project))
    assert done.exit_code == 2
    assert "holds no log" in done.stderr
    assert list(project.iterdir()) == []
