"""Writes one record to a topic."""

from __future__ import annotations

from typing import Any

from confluent_kafka import KafkaError, KafkaException, Message

from streams.cluster.new_record import NewRecord
from streams.dashboard.cluster_access import ClusterAccess, asking
from streams.dashboard.known_topics import KnownTopic
from streams.dashboard.record_form import RecordForm
from streams.query.problem import NotReady, Problem
from streams.sent_time import sent_time

FLUSH_TIMEOUT_S = 10.0


class Refused(Problem):
    """The cluster does not take the record."""

    status = 422
    reason = "refused"


def produced(cluster: ClusterAccess, topic: str, form: RecordForm, known: KnownTopic | None) -> dict[str, Any]:
    """Where the record went. Blocks until the cluster has it.

    Raises:
        Problem: there is no such topic, or a part of the record is wrong (`WrongField`).
        Refused: the cluster does not take it.
        NotReady: the cluster does not answer.
    """
    with asking(cluster):
        partitions = len(cluster.admin.topic(topic))
        return sent(cluster, topic, form.record(topic, known, partitions))


def sent(cluster: ClusterAccess, topic: str, record: NewRecord) -> dict[str, Any]:
    answers: list[tuple[KafkaError | None, Message]] = []
    client = cluster.producer()
    try:
        client.produce(
            topic,
            record.value,
            record.key,
            partition=-1 if record.partition is None else record.partition,
            on_delivery=lambda error, message: answers.append((error, message)),
            timestamp=sent_time(record.timestamp),
            headers=list(record.headers),
        )
    except KafkaException as error:  # too large: the client itself refuses
        raise Refused(f"{topic}: {error.args[0].str()}") from error
    client.flush(FLUSH_TIMEOUT_S)
    if not answers:
        raise NotReady("unreachable", f"{topic}: the cluster did not take the record within {FLUSH_TIMEOUT_S:.0f} s")
    [(error, message)] = answers
    if error is not None:
        raise Refused(f"{topic}: {error.str()}")
    return {"partition": message.partition(), "offset": message.offset(), "timestamp": message.timestamp()[1]}
