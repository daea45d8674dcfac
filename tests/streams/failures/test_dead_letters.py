"""Dead letters in the test driver: what is written, and when."""

from __future__ import annotations

from typing import Any

import pytest

from streams import App, ConfigError, DeadLetter, FailedRecord, HandlerResponse, Json, ProcessingError
from streams.testing import TopologyTestDriver

HEADER = "__streams.errors."


class UnknownCustomer(Exception):
    pass


def check(value: int) -> int:
    if value < 0:
        raise UnknownCustomer(f"nobody has {value}")
    return value


def shop(**settings: Any) -> App:
    app = App("shop", **settings)
    app.stream("orders", key=str, value=Json()).map_values(check).to("checked", value=Json())
    return app


def letters(driver: TopologyTestDriver, topic: str = "dead") -> list[Any]:
    return driver.output_topic(topic, key=bytes, value=bytes).read_all()


def test_dead_letter_is_the_record_as_it_was_read_with_what_went_wrong() -> None:
    """Source: KIP-1034 for the names of headers."""
    app = shop(processing_handler="dead_letter", dead_letter_topic="dead")
    with TopologyTestDriver(app) as driver:
        orders = driver.input_topic("orders")
        orders.pipe(1, key="k")
        orders.pipe(-7, key="k", timestamp=1_234, headers=[("trace", b"abc")])
        [letter] = letters(driver)
        counted = driver.counters()
    assert (letter.key, letter.value, letter.timestamp) == (b"k", b"-7", 1_234)
    headers = dict(letter.headers)
    assert list(headers) == [
        "trace", *(HEADER + name for name in ("exception", "stacktrace", "message", "topic", "partition", "offset")),
    ]  # fmt: skip
    assert headers["trace"] == b"abc"
    assert headers[HEADER + "exception"] == f"{__name__}.UnknownCustomer".encode()
    assert headers[HEADER + "message"] == b"nobody has -7"
    assert (headers[HEADER + "topic"], headers[HEADER + "partition"], headers[HEADER + "offset"]) == (
        b"orders",
        b"0",
        b"1",
    )
    trace = (headers[HEADER + "stacktrace"] or b"").decode()
    assert f'File "{__file__}", line {check.__code__.co_firstlineno + 2}, in check' in trace
    assert (counted["skipped_processing"], counted["dead_lettered_processing"]) == (1, 1)


def test_dead_letter_of_a_record_that_does_not_decode_has_the_bytes() -> None:
    app = shop(deserialization_handler="dead_letter", dead_letter_topic="dead")
    with TopologyTestDriver(app) as driver:
        driver.input_topic("orders", value=bytes).pipe(b"\xff garbage", key="k")
        [letter] = letters(driver)
        assert driver.counters()["dead_lettered_deserialization"] == 1
    assert letter.value == b"\xff garbage"
    assert dict(letter.headers)[HEADER + "exception"] == b"msgspec.DecodeError"


def test_dead_letter_of_what_does_not_encode_is_about_the_record_that_was_read() -> None:
    app = App("shop", production_handler="dead_letter", dead_letter_topic="dead")
    orders = app.stream("orders", key=str, value=Json())
    orders.map_values(lambda value: "text" if value < 0 else value).to("out", value=int)
    with TopologyTestDriver(app) as driver:
        driver.input_topic("orders").pipe_values([1, -1], key="k")
        [letter] = letters(driver)
        assert driver.counters()["dead_lettered_serialization"] == 1
    assert letter.value == b"-1"


def test_handler_chooses_by_record_and_writes_letters_of_its_own() -> None:
    def handler(failed: FailedRecord) -> Any:
        if failed.value == b"-1":
            return "continue"
        if failed.value == b"-2":
            own = DeadLetter(topic="own", key=failed.key, value=b"told", timestamp=failed.timestamp or 0)
            return HandlerResponse(decision="continue", dead_letters=[own])
        if failed.value == b"-3":
            own = DeadLetter(topic="own", key=None, value=b"both", timestamp=0, headers=[("why", b"so")])
            return HandlerResponse(decision="dead_letter", dead_letters=[own])
        return HandlerResponse(
            decision="fail", dead_letters=[DeadLetter(topic="own", key=None, value=b"lost", timestamp=0)]
        )

    app = shop(processing_handler=handler, dead_letter_topic="dead")
    with TopologyTestDriver(app) as driver:
        driver.input_topic("orders").pipe_values([-1, -2, -3], key="k")
        with pytest.raises(ProcessingError):
            driver.input_topic("orders").pipe(-4, key="k")
        assert [letter.value for letter in letters(driver)] == [b"-3"]
        assert [letter.value for letter in letters(driver, "own")] == [b"told", b"both"]
        counted = driver.counters()
    assert (counted["skipped_processing"], counted["dead_lettered_processing"]) == (3, 2)


def test_dead_letters_since_the_last_commit_are_taken_back_with_it() -> None:
    app = shop(processing_handler="dead_letter", dead_letter_topic="dead")
    with TopologyTestDriver(app, commit="manual") as driver:
        driver.input_topic("orders").pipe(-1, key="k")
        driver.commit()
        driver.input_topic("orders").pipe(-2, key="k")
        driver.restart()
        driver.commit()
        assert [letter.value for letter in letters(driver)] == [b"-1", b"-2"]


def test_name_dead_letter_without_a_topic_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"processing_handler is 'dead_letter'.*set dead_letter_topic"):
        shop(processing_handler="dead_letter")


def test_function_that_answers_dead_letter_without_a_topic_is_refused() -> None:
    app = shop(processing_handler=lambda failed: "dead_letter")
    with TopologyTestDriver(app) as driver, pytest.raises(ConfigError, match="set dead_letter_topic"):
        driver.input_topic("orders").pipe(-1, key="k")


def test_topic_for_dead_letters_that_nobody_writes_to_is_refused() -> None:
    with pytest.raises(ConfigError, match="no handler writes to it"):
        shop(processing_handler="continue", dead_letter_topic="dead")


def test_handler_is_named_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """By its word, or as a function of a module."""
    monkeypatch.setenv("HEADRACE_DEAD_LETTER_TOPIC", "dead")
    monkeypatch.setenv("HEADRACE_DESERIALIZATION_HANDLER", "dead_letter")
    monkeypatch.setenv("HEADRACE_PROCESSING_HANDLER", f"{__name__}:skip_all")
    app = shop()
    with TopologyTestDriver(app) as driver:
        driver.input_topic("orders", value=bytes).pipe(b"garbage", key="k")
        driver.input_topic("orders").pipe(-1, key="k")
        assert [letter.value for letter in letters(driver)] == [b"garbage"]


def skip_all(failed: FailedRecord) -> str:
    return "continue"


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("nowhere.at_all:handler", "names no function: No module named 'nowhere'.*write package.module:function"),
        (f"{__name__}:nothing", "names no function"),
        (f"{__name__}:HEADER", "is no function"),
        ("dead-letter", "'fail', 'continue' or 'dead_letter'"),
    ],
)
def test_handler_with_a_wrong_name_is_told(monkeypatch: pytest.MonkeyPatch, name: str, told: str) -> None:
    monkeypatch.setenv("HEADRACE_PRODUCTION_HANDLER", name)
    with pytest.raises(ConfigError, match=rf"production_handler.*{told}.*\(from HEADRACE_PRODUCTION_HANDLER\)"):
        shop()
