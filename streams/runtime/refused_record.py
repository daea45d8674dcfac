"""Records that the log does not take: what that is told as, and what a person can do about it."""

from __future__ import annotations

from confluent_kafka import KafkaError, KafkaException

from streams.errors import ProduceError, StreamsError, cause_text


def refused(cause: BaseException, node: str, topic: object, source: str = "") -> StreamsError:
    """What an operator's record was refused with, when it was handed to the client. `topic`: where it was to go, if it
    is a name; `source`: ` of flights[3] at offset 17`, the record that it was made of."""
    place = (f" for {topic}" if isinstance(topic, str) else "") + (f", made{source}," if source else "")
    if not isinstance(cause, KafkaException):
        return ProduceError(f"{node}: a record{place} cannot be sent{cause_text(cause)}; see the error before it")
    error: KafkaError = cause.args[0]
    return ProduceError(
        f"{node}: a record{place} was refused: {error.str()}; {cure(error)}, or have such records skipped by a "
        "production handler",
        topic=topic if isinstance(topic, str) else None,
        retriable=error.retriable(),
    )


def cure(error: KafkaError) -> str:
    """What a person can do about a refused record."""
    code = error.code()
    if code in (KafkaError._UNKNOWN_TOPIC, KafkaError.UNKNOWN_TOPIC_OR_PART):  # pyright: ignore[reportPrivateUsage]
        return "create the topic (headrace topics create …) and restart"
    if code in (KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.INVALID_MSG_SIZE):
        return "raise max.message.bytes of the topic and message.max.bytes of the producer, or make the value smaller"
    if code in (KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.CLUSTER_AUTHORIZATION_FAILED):
        return "allow this user to write the topic"
    if code == KafkaError.INVALID_RECORD:
        return "give it a key if the topic is compacted, else see the broker's log"
    if code == KafkaError.INVALID_TIMESTAMP:
        return "make its timestamp one that the topic takes (message.timestamp.before.max.ms, …after.max.ms)"
    if code == KafkaError._MSG_TIMED_OUT:  # pyright: ignore[reportPrivateUsage]
        return "check that the broker is reachable and restart"
    return "see the broker's log, then restart"
