"""`headrace txns` on a broker."""

from __future__ import annotations

import json
from typing import Any

from confluent_kafka import Producer

from broker import Broker
from tests.cli.conftest import Headrace


def open_transaction(broker: Broker, topic: str) -> Producer:
    """A producer of the transactional id `topic`, with one record written in a transaction that stays open."""
    client = Producer({"bootstrap.servers": broker.bootstrap_servers, "transactional.id": topic, "linger.ms": 0})
    client.init_transactions(20)
    client.begin_transaction()
    client.produce(topic, "pending", partition=0)
    assert client.flush(20) == 0
    return client


def lines(headrace: Headrace, *words: str) -> list[dict[str, Any]]:
    done = headrace("txns", *words, "--json")
    assert done.exit_code == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_transaction_is_listed_and_described_while_it_is_open(
    on_broker: Headrace, running_broker: Broker, topic: str
) -> None:
    on_broker("topics", "create", topic)
    client = open_transaction(running_broker, topic)
    (found,) = [one for one in lines(on_broker, "list", "--state", "ongoing") if one["transactional_id"] == topic]
    assert found["state"] == "Ongoing"
    assert lines(on_broker, "list", "--open-for", "3600") == []
    (described,) = lines(on_broker, "describe", topic)
    assert described["partitions"] == [{"topic": topic, "partition": 0}]
    assert (described["producer_id"], described["state"]) == (found["producer_id"], "Ongoing")
    (opened,) = lines(on_broker, "open", topic)
    assert (opened["transactional_id"], opened["partition"], opened["start"]) == (topic, 0, 0)
    assert lines(on_broker, "open", topic, "--hanging") == []
    client.commit_transaction(20)
    assert lines(on_broker, "open", topic) == []
    assert f"{topic}\t{found['producer_id']}\tCompleteCommit" in on_broker("txns").stdout.splitlines()
    done = on_broker("txns", "describe", topic)
    assert (done.stdout, done.stderr.split(",")[0]) == ("", "state: CompleteCommit")


def test_transaction_of_a_coordinator_is_aborted_only_by_force(
    on_broker: Headrace, running_broker: Broker, topic: str
) -> None:
    """What it wrote is not read as committed then, and what stands behind it is."""
    on_broker("topics", "create", topic)
    open_transaction(running_broker, topic)
    on_broker("produce", topic, "behind", "--partition", "0")
    assert on_broker("consume", topic, "--until-end").stdout == ""
    refused = on_broker("txns", "abort", topic, "0", "--yes")
    assert refused.exit_code == 1
    assert f"belongs to '{topic}'" in refused.stderr
    assert on_broker("txns", "abort", topic, "0", "--force", stdin="n\n").exit_code == 1
    assert on_broker("consume", topic, "--until-end").stdout == ""
    done = on_broker("txns", "abort", topic, "0", "--start", "0", "--force", "--yes")
    assert (done.exit_code, done.stderr) == (0, f"aborted: {topic} 0 from 0\n")
    assert on_broker("consume", topic, "--until-end").stdout.endswith("behind\n")
    assert "pending" not in on_broker("consume", topic, "--until-end").stdout


def test_abort_of_what_is_not_open_says_so(on_broker: Headrace, topic: str) -> None:
    on_broker("topics", "create", topic)
    done = on_broker("txns", "abort", topic, "0", "--yes")
    assert done.exit_code == 1
    assert "no such transaction is open there" in done.stderr


def test_unknown_names_say_so(on_broker: Headrace) -> None:
    assert "there is no transactional id 'nobody'" in on_broker("txns", "describe", "nobody").stderr
    assert "there is no topic 'never-made'" in on_broker("txns", "open", "never-made").stderr
    done = on_broker("txns", "list", "--state", "Odd")
    assert done.exit_code == 2
    assert "there is no state 'Odd'" in done.stderr
