"""An exactly-once application with only the rights that the guide gives it: its topics, and all under its own name."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from confluent_kafka import Producer

from broker.protocol.batches import CONTROL, read_header, walk
from broker.security.acl import Acl, AclPermission
from broker.security.operation import AclOperation
from broker.security.principal import ANONYMOUS
from broker.security.resource import PatternType, ResourceType
from tests.broker.security.guarded_broker import GuardedBroker
from tests.integration.calls_app import ANSWERS, ORDERS, RANKED, REQUESTS, TOTALS
from tests.integration.worker_fleet import DEADLINE_S, WorkerFleet

RECORDS = 20


def allowed(operation: AclOperation, kind: ResourceType, name: str, pattern: PatternType = PatternType.LITERAL) -> Acl:
    return Acl(kind, name, pattern, str(ANONYMOUS), "*", operation, AclPermission.ALLOW)


PREFIXED = PatternType.PREFIXED
TOPIC, GROUP, TRANSACTION = ResourceType.TOPIC, ResourceType.GROUP, ResourceType.TRANSACTIONAL_ID
EVERYTHING = [allowed(AclOperation.ALL, kind, "calls", PREFIXED) for kind in (TOPIC, GROUP, TRANSACTION)]
OF_TOPICS = ("READ", "WRITE", "CREATE", "DELETE", "DESCRIBE_CONFIGS")
LEAST = [
    *(allowed(AclOperation[each], TOPIC, "calls-", PREFIXED) for each in OF_TOPICS),
    allowed(AclOperation.READ, GROUP, "calls"),
    allowed(AclOperation.WRITE, TRANSACTION, "calls", PREFIXED),
]
"""As the guide to security lists them."""


@pytest.mark.parametrize("own", [EVERYTHING, LEAST], ids=["everything", "least"])
def test_application_with_rights_on_its_names_works_and_restarts(tmp_path: Path, own: list[Acl]) -> None:
    acls = [
        *(allowed(AclOperation.READ, ResourceType.TOPIC, topic) for topic in (REQUESTS, ORDERS)),
        *(allowed(AclOperation.WRITE, ResourceType.TOPIC, topic) for topic in (ANSWERS, TOTALS, RANKED)),
        *own,
    ]
    with GuardedBroker(tmp_path / "data") as guarded:
        for topic in (REQUESTS, ORDERS, ANSWERS, TOTALS, RANKED):
            guarded.call(guarded.state.create_topic, topic, 2)
        fleet = WorkerFleet("tests.integration.calls_app:app", guarded, tmp_path)
        try:
            for round_number in (1, 2):
                load(guarded, acls)
                worker = fleet.start()
                wait_for(guarded, fleet, RECORDS * round_number)
                fleet.stop(worker)
            fleet.check()
        finally:
            fleet.close()


def load(guarded: GuardedBroker, acls: list[Acl]) -> None:
    """Records on the application's sources, from somebody who may write there for as long as that takes."""
    sources = [allowed(AclOperation.WRITE, ResourceType.TOPIC, topic) for topic in (REQUESTS, ORDERS)]
    guarded.call(guarded.authorizer.replace, dict.fromkeys(acls + sources))
    producer = Producer({"bootstrap.servers": guarded.bootstrap_servers, "log_level": 0})
    for number in range(RECORDS):
        for topic in (REQUESTS, ORDERS):
            producer.produce(topic, number.to_bytes(8, "big"), f"k{number % 4}".encode())
    assert producer.flush(DEADLINE_S) == 0
    guarded.call(guarded.authorizer.replace, dict.fromkeys(acls))


def wait_for(guarded: GuardedBroker, fleet: WorkerFleet, records: int) -> None:
    """Until that many answers are there."""
    end = time.monotonic() + DEADLINE_S
    while guarded.call(written, guarded, ANSWERS) < records:
        fleet.check()
        assert time.monotonic() < end, fleet.log_text()
        time.sleep(0.05)


def written(guarded: GuardedBroker, topic: str) -> int:
    """Records, without the markers of transactions."""
    count = 0
    for partition in range(2):
        log = guarded.state.logs.get(topic, partition)
        assert log is not None
        chunk = log.reader.read(0, 1 << 20, at_least_one=True)
        headers = (read_header(chunk, position) for position, _ in walk(chunk))
        count += sum(header.record_count for header in headers if not header.attributes & CONTROL)
    return count
