"""What is known of records and topics that the log refused."""

from __future__ import annotations

from confluent_kafka import KafkaError

from streams.runtime.refusals import REFUSED_FOR_S, Refusals, Refused, batch_limit, compresses

TOO_LARGE = KafkaError(KafkaError.MSG_SIZE_TOO_LARGE)
INVALID = KafkaError(KafkaError.INVALID_RECORD)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def refusals(batch_bytes: int = 1_000, *, compressed: bool = False, clock: Clock | None = None) -> Refusals:
    return Refusals(batch_bytes, compressed=compressed, clock=clock or Clock())


def refused(size: int, error: KafkaError = TOO_LARGE, key: bytes | None = b"k") -> Refused:
    return Refused("out", 0, key, b"x" * size, error)


def unknown(topic: str) -> int | None:
    return None


def test_record_larger_than_its_topic_takes_is_meant_and_its_batch_is_not() -> None:
    known = refusals()
    assert known.learn([refused(10), refused(600), refused(20)], lambda topic: 500) == [refused(600)]
    assert known.batch_bytes == 500
    error = known.find("out", b"k", b"x" * 600)
    assert error is not None
    assert "takes 500 in a batch" in error.str()
    assert known.find("out", b"k", b"x" * 10) is None


def test_record_that_nobody_asked_about_is_refused_for_its_size_alone() -> None:
    known = refusals()
    known.learn([refused(600)], lambda topic: 500)
    assert known.find("out", b"other", b"y" * 700) is not None
    assert known.find("elsewhere", b"other", b"y" * 700) is None


def test_compressed_record_is_meant_only_when_it_was_alone() -> None:
    """What it would be after compression nobody knows."""
    known = refusals(compressed=True)
    assert known.learn([refused(600)], lambda topic: 500) == []
    assert known.batch_bytes == 500
    assert known.learn([refused(600)], lambda topic: 500) == [refused(600)]
    assert known.find("out", b"k", b"x" * 600) is not None
    assert known.find("out", b"k", b"y" * 600) is None


def test_limit_that_is_not_known_leads_to_batches_with_one_such_record() -> None:
    known = refusals()
    assert known.learn([refused(100), refused(400)], unknown) == []
    assert known.learn([refused(100), refused(400)], unknown) == [refused(100), refused(400)]


def test_invalid_record_is_known_again_until_what_it_led_to_is_committed() -> None:
    known = refusals()
    assert known.learn([refused(10, INVALID, None)], unknown) == [refused(10, INVALID, None)]
    known.committed()  # of something before it
    assert known.find("out", None, b"x" * 10) is not None
    assert known.find("out", b"", b"x" * 10) is None
    assert known.find("out", None, b"x" * 10) is not None  # the first attempt was undone for another record
    known.committed()
    assert known.find("out", None, b"x" * 10) is None


def test_records_refused_together_are_sent_alone_to_find_the_one_that_is_meant() -> None:
    known = refusals()
    assert known.learn([refused(1, INVALID), refused(2, INVALID), refused(3, INVALID)], unknown) == []
    assert known.find("out", b"k", b"xx") is None
    assert [known.alone("out", b"k", b"x" * size) for size in (1, 2, 4)] == [True, True, False]
    assert known.learn([refused(2, INVALID)], unknown) == [refused(2, INVALID)]
    assert known.find("out", b"k", b"xx") is not None
    known.committed()
    assert [known.alone("out", b"k", b"x" * size) for size in (1, 2, 3)] == [False, False, True]


def test_records_refused_together_again_before_they_were_sent_alone_are_not_meant() -> None:
    """The second report may be of what was sent before the first was heard of."""
    known = refusals()
    together = [refused(1, INVALID), refused(2, INVALID)]
    assert known.learn(together, unknown) == []
    assert known.learn(together, unknown) == []
    assert known.alone("out", b"k", b"xx")
    assert known.learn(together, unknown) == [refused(2, INVALID)]


def test_topic_and_limit_are_believed_for_a_while() -> None:
    clock = Clock()
    known = refusals(clock=clock)
    known.topic("gone", KafkaError(KafkaError.UNKNOWN_TOPIC_OR_PART))
    known.learn([refused(600)], lambda topic: 500)
    known.committed()
    clock.now = REFUSED_FOR_S
    assert known.find("gone", b"k", b"v") is None
    assert known.find("out", b"other", b"y" * 700) is None


def test_retry_tries_everything_again() -> None:
    known = refusals()
    known.learn([refused(600), refused(10, INVALID)], lambda topic: 500)
    known.forget()
    assert not known
    assert known.find("out", b"k", b"x" * 600) is None


def test_client_configuration_says_how_large_batches_are() -> None:
    assert batch_limit({}) == 1_000_000
    assert batch_limit({"batch.size": 2_000_000, "message.max.bytes": "20000"}) == 20_000
    assert compresses({"compression.type": "lz4"})
    assert not compresses({"compression.codec": "none"})
