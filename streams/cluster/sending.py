"""Writing records, and waiting until the cluster has them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from streams.cluster.errors import ClusterError
from streams.cluster.new_record import NewRecord
from streams.sent_time import sent_time

if TYPE_CHECKING:
    from confluent_kafka import Producer

FLUSH_TIMEOUT_S = 30.0


def send_records(client: Producer, topic: str, records: Iterable[NewRecord]) -> int:
    """The number of records the broker has acknowledged. Raises ClusterError at the first that it has not."""
    from confluent_kafka import KafkaError, KafkaException, Message

    failures: list[KafkaError] = []

    def delivered(error: KafkaError | None, _message: Message) -> None:
        if error is not None:
            failures.append(error)

    sent = 0
    for record in records:
        while True:
            try:
                client.produce(
                    topic,
                    record.value,
                    record.key,
                    partition=-1 if record.partition is None else record.partition,
                    on_delivery=delivered,
                    timestamp=sent_time(record.timestamp),
                    headers=list(record.headers),
                )
                break
            except BufferError:
                client.poll(0.1)  # the local queue is full: let it drain
            except KafkaException as refused:  # by the client, who knows the topic
                failures.append(refused.args[0])
                break
        client.poll(0)
        if failures:
            break
        sent += 1
    unsent = client.flush(FLUSH_TIMEOUT_S)
    if failures:
        raise ClusterError(f"{topic}: {failures[0].str()}")
    if unsent:
        raise ClusterError(f"{topic}: {unsent} records were not acknowledged within {FLUSH_TIMEOUT_S:.0f} s")
    return sent
