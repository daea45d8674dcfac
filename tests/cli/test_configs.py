"""`headrace configs` on a broker."""

from __future__ import annotations

import json

import pytest

from tests.cli.conftest import Headrace


def described(headrace: Headrace, kind: str, name: str, *options: str) -> dict[str, tuple[str | None, str]]:
    done = headrace("configs", "describe", kind, name, "--json", *options)
    assert done.exit_code == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return {line["name"]: (line["value"], line["source"]) for line in lines}


def test_topic_config_is_set_shown_and_deleted(on_broker: Headrace, topic: str) -> None:
    """Without --all only what is set."""
    on_broker("topics", "create", topic)
    assert described(on_broker, "topic", topic) == {}
    done = on_broker("configs", "set", "topic", topic, "retention.ms=1000", "max.message.bytes=2000")
    assert (done.exit_code, done.stderr) == (0, f"topic {topic}: done\n")
    assert described(on_broker, "topic", topic) == {
        "max.message.bytes": ("2000", "topic"),
        "retention.ms": ("1000", "topic"),
    }
    assert on_broker("configs", "describe", "topic", topic).stdout == (
        "max.message.bytes\t2000\ttopic\nretention.ms\t1000\ttopic\n"
    )
    assert on_broker("configs", "delete", "topic", topic, "retention.ms").exit_code == 0
    assert described(on_broker, "topic", topic, "--all")["retention.ms"] == ("604800000", "default")


def test_list_config_is_appended_to_and_subtracted_from(on_broker: Headrace, topic: str) -> None:
    on_broker("topics", "create", topic)
    assert on_broker("configs", "append", "topic", topic, "cleanup.policy=compact").exit_code == 0
    assert described(on_broker, "topic", topic)["cleanup.policy"] == ("delete,compact", "topic")
    assert on_broker("configs", "subtract", "topic", topic, "cleanup.policy=delete").exit_code == 0
    assert described(on_broker, "topic", topic)["cleanup.policy"] == ("compact", "topic")


@pytest.mark.parametrize(("name", "source"), [("1", "broker"), ("all", "all brokers")], ids=("one", "all"))
def test_broker_config_is_set_for_one_or_all(on_broker: Headrace, topic: str, name: str, source: str) -> None:
    """And counts for topics."""
    on_broker("topics", "create", topic)
    assert on_broker("configs", "set", "broker", name, "log.segment.bytes=4000000").exit_code == 0
    assert described(on_broker, "broker", name)["log.segment.bytes"] == ("4000000", source)
    assert described(on_broker, "topic", topic)["segment.bytes"] == ("4000000", source)
    assert on_broker("configs", "delete", "broker", name, "log.segment.bytes").exit_code == 0
    assert described(on_broker, "topic", topic) == {}


def test_dry_run_changes_nothing(on_broker: Headrace, topic: str) -> None:
    on_broker("topics", "create", topic)
    done = on_broker("configs", "set", "topic", topic, "retention.ms=1000", "--dry-run")
    assert (done.exit_code, done.stderr) == (0, f"topic {topic}: this can be done\n")
    assert described(on_broker, "topic", topic) == {}
    assert on_broker("configs", "set", "topic", topic, "retention.ms=soon", "-n").exit_code == 1


@pytest.mark.parametrize("word", ["set", "delete"])
def test_misspelt_config_is_refused_with_what_was_meant(on_broker: Headrace, topic: str, word: str) -> None:
    on_broker("topics", "create", topic)
    done = on_broker("configs", word, "topic", topic, "retention.mss" + ("=1" if word == "set" else ""))
    assert done.exit_code == 1
    assert "did you mean 'retention.ms'?" in done.stderr


def test_config_that_cannot_change_is_refused_with_the_brokers_words(on_broker: Headrace) -> None:
    done = on_broker("configs", "set", "broker", "1", "num.partitions=3")
    assert (done.exit_code, done.stderr) == (
        1,
        "Error: broker 1: Cannot update these configs dynamically: [num.partitions]\n",
    )


def test_logger_level_is_set_and_deleted(on_broker: Headrace) -> None:
    assert on_broker("configs", "set", "logger", "1", "broker.journal=DEBUG").exit_code == 0
    assert described(on_broker, "logger", "1")["broker.journal"] == ("DEBUG", "logger")
    assert on_broker("configs", "delete", "logger", "1", "broker.journal").exit_code == 0
    assert described(on_broker, "logger", "1")["broker.journal"] == ("WARN", "logger")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["set", "topic", "words", "retention.ms"], "'retention.ms' is not CONFIG=VALUE"),
        (["delete", "topic", "words", "retention.ms=1"], "should be a name without a value"),
        (["describe", "broker", "9"], "there is no broker '9'; there is 1, and 'all'"),
        (["describe", "planet", "earth"], "Invalid value for"),
        (["descrbe", "topic", "words"], "did you mean 'describe'?"),
    ],
)
def test_wrong_arguments_are_usage_errors(on_broker: Headrace, words: list[str], said: str) -> None:
    done = on_broker("configs", *words)
    assert done.exit_code == 2
    assert said in done.stderr


def test_unknown_topic_says_so(on_broker: Headrace) -> None:
    done = on_broker("configs", "describe", "topic", "never-made")
    assert (done.exit_code, done.stderr) == (
        1,
        "Error: topic never-made: The topic 'never-made' does not exist\n",
    )
