"""The transaction APIs on the wire: every version, the codes that depend on it, and transactions v2."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any, TypeVar

import pytest
from kio.schema.errors import ErrorCode

from broker.protocol.batches import TRANSACTIONAL, encode_batch
from broker.server.connection import BUFFER_SIZE
from tests.broker.groups.wire import WireClient, wire
from tests.broker.transactions.clients import read_all
from tests.cluster import elsewhere

MakeTopic = Callable[..., str]

PRODUCE, API_VERSIONS, OFFSET_FETCH = 0, 18, 9
INIT, ADD_PARTITIONS, ADD_OFFSETS, END, OFFSET_COMMIT = 22, 24, 25, 26, 28
DESCRIBE_PRODUCERS, DESCRIBE, LIST = 61, 65, 66
MINUTE = timedelta(minutes=1)
NOW = 1_700_000_000_000
PASSING = (
    ErrorCode.concurrent_transactions,
    ErrorCode.not_coordinator,
    ErrorCode.not_leader_or_follower,
    ErrorCode.unstable_offset_commit,
)
T = TypeVar("T")


def settled(ask: Callable[[], T], code: Callable[[T], ErrorCode]) -> T:
    """The answer; of Apache Kafka, which ends transactions after it has answered, the first that is not in passing."""
    answer = ask()
    while elsewhere() and code(answer) in PASSING:
        answer = ask()
    return answer


@pytest.fixture
def client(servers: str) -> Iterator[WireClient]:
    with wire(servers) as connected:
        yield connected


class Producer:
    """A transactional producer by hand."""

    def __init__(self, client: WireClient, transactional_id: str, version: int = 5) -> None:
        self.client = client
        self.transactional_id = transactional_id
        answer = settled(lambda: client.ask(INIT, version, **self.init_fields()), lambda one: one.error_code)
        assert answer.error_code is ErrorCode.none
        self.producer_id, self.epoch = answer.producer_id, answer.producer_epoch
        self.sequence = 0

    def init_fields(self, **fields: Any) -> dict[str, Any]:
        return {
            "transactional_id": self.transactional_id,
            "transaction_timeout": MINUTE,
            "producer_id": -1,
            "producer_epoch": -1,
            **fields,
        }

    @property
    def who(self) -> dict[str, Any]:
        return {
            "transactional_id": self.transactional_id,
            "producer_id": self.producer_id,
            "producer_epoch": self.epoch,
        }

    def add(self, topic: str, version: int = 3, partitions: tuple[int, ...] = (0,)) -> list[ErrorCode]:
        return settled(lambda: self.try_to_add(topic, version, partitions), lambda codes: codes[0])

    def try_to_add(self, topic: str, version: int, partitions: tuple[int, ...]) -> list[ErrorCode]:
        topics = [{"name": topic, "partitions": partitions}]
        answer = self.client.ask(
            ADD_PARTITIONS,
            version,
            v3_and_below_transactional_id=self.transactional_id,
            v3_and_below_producer_id=self.producer_id,
            v3_and_below_producer_epoch=self.epoch,
            v3_and_below_topics=topics,
            transactions=[{**self.who, "verify_only": False, "topics": topics}],
        )
        if version < 4:
            (result,) = answer.results_by_topic_v3_and_below
        else:
            ((result,),) = (one.topic_results for one in answer.results_by_transaction)
        return [one.partition_error_code for one in result.results_by_partition]

    def end(self, version: int = 3, *, commit: bool = True) -> ErrorCode:
        answer = settled(
            lambda: self.client.ask(END, version, **self.who, committed=commit), lambda one: one.error_code
        )
        if version >= 5 and answer.error_code is ErrorCode.none:
            self.producer_id, self.epoch, self.sequence = answer.producer_id, answer.producer_epoch, 0
        return answer.error_code

    def add_offsets(self, group: str, version: int = 3) -> ErrorCode:
        answer = settled(
            lambda: self.client.ask(ADD_OFFSETS, version, **self.who, group_id=group), lambda one: one.error_code
        )
        return answer.error_code

    def produce(self, topic: str, value: str, version: int = 9, *, transactional: bool = True) -> ErrorCode:
        return settled(lambda: self.try_to_produce(topic, value, version, transactional), lambda code: code)

    def try_to_produce(self, topic: str, value: str, version: int, transactional: bool) -> ErrorCode:
        records = encode_batch(
            [(b"k", value.encode())],
            NOW,
            attributes=TRANSACTIONAL if transactional else 0,
            producer_id=self.producer_id,
            producer_epoch=self.epoch,
            base_sequence=self.sequence,
        )
        answer = self.client.ask(
            PRODUCE,
            version,
            transactional_id=self.transactional_id,
            acks=-1,
            timeout=MINUTE,
            topic_data=[{"name": topic, "partition_data": [{"index": 0, "records": bytes(records)}]}],
        )
        ((partition,),) = (one.partition_responses for one in answer.responses)
        if partition.error_code is ErrorCode.none:
            self.sequence += 1
        return partition.error_code

    def commit_offset(self, group: str, topic: str, offset: int, version: int = 3, **fields: Any) -> ErrorCode:
        line = {"partition_index": 0, "committed_offset": offset, "committed_metadata": "m"}
        answer = self.client.ask(
            OFFSET_COMMIT,
            version,
            **self.who,
            group_id=group,
            topics=[{"name": topic, "partitions": [line]}],
            **fields,
        )
        ((partition,),) = (one.partitions for one in answer.topics)
        return partition.error_code


def fetch_offset(client: WireClient, group: str, topic: str, *, stable: bool = True) -> tuple[ErrorCode, int]:
    answer = client.ask(
        OFFSET_FETCH, 7, group_id=group, topics=[{"name": topic, "partition_indexes": [0]}], require_stable=stable
    )
    ((line,),) = (one.partitions for one in answer.topics)
    return line.error_code, line.committed_offset


def settled_offset(client: WireClient, group: str, topic: str) -> tuple[ErrorCode, int]:
    return settled(lambda: fetch_offset(client, group, topic), lambda found: found[0])


@pytest.mark.parametrize("version", range(6))
def test_init_producer_id_raises_the_epoch_each_time(client: WireClient, unique: str, version: int) -> None:
    first, second = Producer(client, unique, version), Producer(client, unique, version)
    assert (second.producer_id, second.epoch) == (first.producer_id, first.epoch + 1)
    without = client.ask(INIT, version, transactional_id=None, transaction_timeout=MINUTE, producer_id=-1,
                         producer_epoch=-1)  # fmt: skip
    assert without.producer_id != first.producer_id


@pytest.mark.parametrize("version", range(3, 6))
def test_init_producer_id_of_a_fenced_producer_says_so(client: WireClient, unique: str, version: int) -> None:
    """PRODUCER_FENCED is known from v4 on."""
    first = Producer(client, unique)
    Producer(client, unique)
    answer = client.ask(INIT, version, **first.init_fields(producer_id=first.producer_id, producer_epoch=first.epoch))
    assert answer.error_code is (ErrorCode.producer_fenced if version >= 4 else ErrorCode.invalid_producer_epoch)


def test_init_producer_id_with_too_long_a_timeout_is_refused(client: WireClient, unique: str) -> None:
    answer = client.ask(
        INIT, 4, transactional_id=unique, transaction_timeout=timedelta(hours=1), producer_id=-1, producer_epoch=-1
    )
    assert answer.error_code is ErrorCode.invalid_transaction_timeout


@pytest.mark.parametrize("add_version", range(6))
@pytest.mark.parametrize("end_version", range(5))
def test_transaction_goes_through_in_every_version(
    client: WireClient, servers: str, make_topic: MakeTopic, unique: str, add_version: int, end_version: int
) -> None:
    if add_version and end_version not in (0, 4):
        return  # each with the first and the last of the others is enough
    topic = make_topic()
    producer = Producer(client, unique)
    for commit in (True, False):
        assert producer.add(topic, add_version) == [ErrorCode.none]
        assert producer.produce(topic, str(commit)) is ErrorCode.none
        assert producer.end(end_version, commit=commit) is ErrorCode.none
    assert read_all(servers, topic) == ["True"]


@pytest.mark.parametrize(("key", "versions"), [(ADD_PARTITIONS, range(6)), (END, range(6)), (ADD_OFFSETS, range(5))])
def test_fenced_producer_is_told_so_as_it_understands_it(
    client: WireClient, make_topic: MakeTopic, unique: str, key: int, versions: range
) -> None:
    """PRODUCER_FENCED from v2 on, INVALID_PRODUCER_EPOCH before."""
    topic = make_topic()
    producer = Producer(client, unique)
    Producer(client, unique)
    for version in versions:
        expected = ErrorCode.producer_fenced if version >= 2 else ErrorCode.invalid_producer_epoch
        if key == ADD_PARTITIONS:
            assert producer.add(topic, version) == [expected]
        elif key == END:
            assert producer.end(version) is expected
        else:
            assert client.ask(key, version, **producer.who, group_id="g").error_code is expected


def test_add_partitions_adds_all_or_none(client: WireClient, make_topic: MakeTopic, unique: str) -> None:
    topic = make_topic(2)
    producer = Producer(client, unique)
    codes = producer.add(topic, partitions=(0, 1, 2))
    assert Counter(codes) == {ErrorCode.operation_not_attempted: 2, ErrorCode.unknown_topic_or_partition: 1}
    assert producer.produce(topic, "v") is ErrorCode.invalid_txn_state


@pytest.mark.parametrize(("version", "code"), [(9, ErrorCode.invalid_txn_state), (11, ErrorCode.transaction_abortable)])
def test_batch_outside_of_a_transaction_is_refused(
    client: WireClient, servers: str, make_topic: MakeTopic, unique: str, version: int, code: ErrorCode
) -> None:
    """What comes late would open a transaction that nobody ends: before it began, after its end, and from others."""
    topic = make_topic()
    producer = Producer(client, unique)
    assert producer.produce(topic, "before", version) is code
    producer.add(topic)
    assert producer.produce(topic, "in", version) is ErrorCode.none
    assert producer.produce(topic, "plain", version, transactional=False) is ErrorCode.invalid_txn_state
    producer.end()
    settled(lambda: read_all(servers, topic), lambda values: ErrorCode.none if values else ErrorCode.not_coordinator)
    assert producer.produce(topic, "late", version) is code
    producer.epoch += 1
    assert producer.produce(topic, "other", version) is ErrorCode.invalid_producer_epoch
    producer.producer_id += 1
    assert producer.produce(topic, "other", version) is ErrorCode.invalid_producer_id_mapping
    assert read_all(servers, topic, committed=False) == ["in"]


def test_end_of_what_is_not_open_is_refused(client: WireClient, unique: str) -> None:
    producer = Producer(client, unique)
    assert producer.end() is ErrorCode.invalid_txn_state
    producer.producer_id += 1
    assert producer.end() is ErrorCode.invalid_producer_id_mapping


# -- offsets -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("version", range(5))
def test_txn_offset_commit_counts_when_the_transaction_commits(
    client: WireClient, make_topic: MakeTopic, unique: str, version: int
) -> None:
    topic = make_topic()
    producer = Producer(client, unique)
    for offset, commit, expected in ((5, True, 5), (9, False, 5)):
        assert producer.add_offsets(unique, min(version, 4)) is ErrorCode.none
        assert producer.commit_offset(unique, topic, offset, version) is ErrorCode.none
        assert fetch_offset(client, unique, topic)[0] is ErrorCode.unstable_offset_commit
        assert fetch_offset(client, unique, topic, stable=False)[0] is ErrorCode.none
        assert producer.end(commit=commit) is ErrorCode.none
        assert settled_offset(client, unique, topic) == (ErrorCode.none, expected)


@pytest.mark.parametrize("first", [0, 1])
def test_txn_offset_commits_of_two_transactions_count_in_the_order_they_came(
    client: WireClient, make_topic: MakeTopic, unique: str, first: int
) -> None:
    """Not in the order in which the transactions end: the later offset stays."""
    topic = make_topic()
    producers = [Producer(client, f"{unique}-{i}") for i in range(2)]
    for producer, offset in zip(producers, (5, 9), strict=True):
        assert producer.add_offsets(unique) is ErrorCode.none
        assert producer.commit_offset(unique, topic, offset) is ErrorCode.none
    for producer in (producers[first], producers[1 - first]):
        assert producer.end() is ErrorCode.none
    assert settled_offset(client, unique, topic) == (ErrorCode.none, 9)


@pytest.mark.parametrize("version", [3, 4])
def test_txn_offset_commit_without_add_offsets_is_refused(
    client: WireClient, make_topic: MakeTopic, unique: str, version: int
) -> None:
    producer = Producer(client, unique)
    expected = ErrorCode.transaction_abortable if version >= 4 else ErrorCode.invalid_txn_state
    assert producer.commit_offset(unique, make_topic(), 1, version) is expected


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"generation_id": 1, "member_id": "m"}, ErrorCode.illegal_generation),  # of a group that is not there
        ({"generation_id": -1, "member_id": ""}, ErrorCode.none),
    ],
)
def test_txn_offset_commit_checks_the_member(
    client: WireClient, make_topic: MakeTopic, unique: str, fields: dict[str, Any], code: ErrorCode
) -> None:
    """KIP-447; without an identity it is not checked."""
    producer = Producer(client, unique)
    producer.add_offsets(unique)
    assert producer.commit_offset(unique, make_topic(), 1, **fields) is code


def test_txn_offset_commit_of_a_fenced_producer_or_an_unknown_topic_is_refused(
    client: WireClient, make_topic: MakeTopic, unique: str
) -> None:
    producer = Producer(client, unique)
    producer.add_offsets(unique)
    assert producer.commit_offset(unique, "nowhere", 1) is ErrorCode.unknown_topic_or_partition
    Producer(client, unique)
    assert producer.commit_offset(unique, make_topic(), 1) is ErrorCode.invalid_producer_epoch


# -- transactions v2 ---------------------------------------------------------------------------------------------------
def test_transaction_version_2_is_told_as_a_feature(client: WireClient) -> None:
    answer = client.ask(API_VERSIONS, 4, client_software_name="wire", client_software_version="1")
    assert ("transaction.version", 2) in [(one.name, one.max_version_level) for one in answer.finalized_features]
    supported = [(one.name, one.min_version, one.max_version) for one in answer.supported_features]
    assert ("transaction.version", 0, 2) in supported
    before = client.ask(API_VERSIONS, 3, client_software_name="wire", client_software_version="1")
    assert all(one.min_version > 0 for one in before.supported_features), "v3 cannot tell a minimum of 0"


def test_v2_writing_adds_the_partition_and_the_end_raises_the_epoch(
    client: WireClient, servers: str, make_topic: MakeTopic, unique: str
) -> None:
    """KIP-890: nothing of one transaction can fall into the next."""
    topic = make_topic()
    producer = Producer(client, unique)
    epochs: list[int] = []
    for number in range(4):
        epochs.append(producer.epoch)
        assert producer.produce(topic, f"{number}a", 12) is ErrorCode.none
        assert producer.produce(topic, f"{number}b", 12) is ErrorCode.none
        assert producer.commit_offset(unique, topic, number, 5) is ErrorCode.none
        assert producer.end(5, commit=number % 2 == 0) is ErrorCode.none
    assert epochs == list(range(epochs[0], epochs[0] + 4))
    assert read_all(servers, topic) == ["0a", "0b", "2a", "2b"]
    assert settled_offset(client, unique, topic) == (ErrorCode.none, 2)
    producer.epoch -= 1
    producer.sequence = 2
    assert producer.produce(topic, "late", 12) is ErrorCode.invalid_producer_epoch
    assert len(read_all(servers, topic, committed=False)) == 8


def test_v2_end_that_is_sent_again_is_answered_alike(client: WireClient, make_topic: MakeTopic, unique: str) -> None:
    producer = Producer(client, unique)
    assert producer.produce(make_topic(), "v", 12) is ErrorCode.none
    before = producer.who
    assert producer.end(5) is ErrorCode.none
    again = settled(lambda: client.ask(END, 5, **before, committed=True), lambda one: one.error_code)
    assert (again.error_code, again.producer_epoch) == (ErrorCode.none, producer.epoch)
    assert client.ask(END, 5, **before, committed=False).error_code is ErrorCode.invalid_txn_state


def test_v2_produce_with_the_next_request_behind_it_is_part_of_the_transaction(
    client: WireClient, servers: str, make_topic: MakeTopic, unique: str
) -> None:
    """The next request, which fills the connection's buffer, takes the first one's place while that still waits for the
    transaction to begin."""
    topic, other = make_topic(), make_topic()
    producer = Producer(client, unique)
    first = encode_batch(
        [(b"k", b"v")], NOW, attributes=TRANSACTIONAL, producer_id=producer.producer_id, producer_epoch=producer.epoch,
        base_sequence=0,
    )  # fmt: skip
    second = encode_batch([(b"k", b"v" * (BUFFER_SIZE - 220))], NOW)
    with wire(servers) as pipelined:
        requests = [
            pipelined.frame(
                PRODUCE, 12, transactional_id=transactional_id, acks=-1, timeout=MINUTE,
                topic_data=[{"name": name, "partition_data": [{"index": 0, "records": bytes(records)}]}],
            )
            for transactional_id, name, records in ((unique, topic, first), (None, other, second))
        ]  # fmt: skip
        assert len(requests[1]) <= BUFFER_SIZE < sum(map(len, requests))
        pipelined.socket.sendall(b"".join(requests))
        for number in (1, 2):
            pipelined.correlation_id = number
            ((answer,),) = (one.partition_responses for one in pipelined.receive(PRODUCE, 12).responses)
            assert answer.error_code is ErrorCode.none
    assert producer.end(5) is ErrorCode.none
    assert read_all(servers, topic) == ["v"]


def test_v2_produce_to_an_unknown_topic_is_refused(client: WireClient, unique: str) -> None:
    assert Producer(client, unique).produce("nowhere", "v", 12) is ErrorCode.unknown_topic_or_partition


# -- administration ----------------------------------------------------------------------------------------------------
def test_list_and_describe_tell_of_open_transactions(client: WireClient, make_topic: MakeTopic, unique: str) -> None:
    topic = make_topic(2)
    producer = Producer(client, unique)
    producer.add(topic, partitions=(1, 0))
    producer.produce(topic, "v")
    for version in range(3):
        answer = client.ask(
            LIST, version, state_filters=["Ongoing", "Nonsense"], producer_id_filters=[producer.producer_id],
            duration_filter=0, transactional_id_pattern="tx-.*",
        )  # fmt: skip
        assert answer.unknown_state_filters == ("Nonsense",)
        (line,) = answer.transaction_states
        assert (line.transactional_id, line.transaction_state) == (unique, "Ongoing")
    found, missing = client.ask(DESCRIBE, 0, transactional_ids=[unique, "nobody"]).transaction_states
    assert (found.producer_id, found.producer_epoch, found.transaction_state) == (
        producer.producer_id, producer.epoch, "Ongoing",
    )  # fmt: skip
    assert [(one.topic, sorted(one.partitions)) for one in found.topics] == [(topic, [0, 1])]
    assert missing.error_code is ErrorCode.transactional_id_not_found
    ((lines),) = (one.partitions for one in client.ask(
        DESCRIBE_PRODUCERS, 0, topics=[{"name": topic, "partition_indexes": [0, 5]}]
    ).topics)  # fmt: skip
    (active,) = lines[0].active_producers
    assert (active.producer_id, active.last_sequence, active.current_txn_start_offset) == (producer.producer_id, 0, 0)
    assert lines[1].error_code is ErrorCode.unknown_topic_or_partition
    producer.end()
