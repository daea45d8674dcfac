"""Records of any topic as pages show them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from stores.timed_keys import WINDOW_KEYS
from streams import MessagePack
from streams.dashboard.known_topics import KnownTopic, known_topics
from streams.dashboard.record_form import RecordForm, written
from streams.dashboard.record_view import RecordView
from streams.dashboard.writes import WrongField
from streams.serde import Boolean, Integer, Serde, String, windowed_serde
from streams.windowed import Windowed
from tests.streams.query.shop import COUNTS, HOUR_MS, Order, shop

PLAN = shop().plan().partitions(COUNTS)
KNOWN = known_topics(PLAN, "dead", "shop")


@dataclass(frozen=True)
class Record:
    key_bytes: bytes | None
    value_bytes: bytes | None
    header_list: list[tuple[str, bytes | None]] = field(default_factory=list)

    def partition(self) -> int:
        return 0

    def offset(self) -> int:
        return 7

    def timestamp(self) -> tuple[int, int]:
        return 1, 1_000

    def key(self) -> bytes | None:
        return self.key_bytes

    def value(self) -> bytes | None:
        return self.value_bytes

    def headers(self) -> list[tuple[str, bytes | None]]:
        return self.header_list


def body(known: KnownTopic | None, record: Any) -> dict[str, Any]:
    return RecordView(known).seen(record).body()


@pytest.mark.parametrize(
    ("value", "form", "text"),
    [
        (b'{"a": 1}', "json", '{"a": 1}'),
        (b"12", "json", "12"),
        (b"plain", "text", "plain"),
        (b"0xplain", "text", "0xplain"),
        (b"\x00\xff", "hex", "0x00ff"),
        (b'"\xff"', "hex", "0x22ff22"),
        (b"", "text", ""),
        (None, "null", "null"),
    ],
)
def test_value_of_a_topic_nobody_knows_is_shown_as_it_looks(value: bytes | None, form: str, text: str) -> None:
    assert body(None, Record(b"k", value))["value"] == {"form": form, "text": text}


def test_topics_of_the_application_have_roles() -> None:
    roles = {name: (topic.role, topic.internal) for name, topic in KNOWN.items()}
    assert roles["orders"] == roles["countries"] == ("source", False)
    assert roles["shop-by-user-repartition"] == ("repartition", True)
    assert roles["shop-hourly-changelog"] == ("changelog", True)
    assert roles["dead"] == ("dead letters", False)
    assert roles["shop-task-metadata-changelog"] == ("metadata", True)


def test_value_that_cannot_be_shown_is_shown_as_its_bytes_with_the_reason() -> None:
    """A record must not end the tail that comes upon it."""
    endless: list[Any] = []
    endless.append(endless)
    shown: list[dict[str, Any]] = []
    for value in (endless, "half \ud800"):
        serde = Serde(serialize=bytes, deserialize=lambda _, value=value: value)
        shown.append(body(KnownTopic(role="source", value=serde), Record(None, b"\x00"))["value"])
    assert (shown[0]["form"], "recursion" in shown[0]["wrong"]) == ("hex", True)
    assert shown[1]["text"] == "half \\ud800"


def test_headers_that_are_too_long_for_a_list_are_cut_and_told() -> None:
    """The record by itself has all of them."""
    seen = RecordView(None).seen(Record(b"k", b"v", [("trace", b"t" * 2_001), ("id", b"1"), ("none", None)]))  # type: ignore[arg-type]
    cut, whole = seen.body(), seen.body(whole=True)
    assert (cut["headers"][0], cut["headers_cut"]) == (("trace", "t" * 2_000), 1)
    assert whole["headers"] == [("trace", "t" * 2_001), ("id", "1"), ("none", None)]
    assert "headers_cut" not in whole
    assert "headers_cut" not in body(None, Record(b"k", b"v", [("id", b"1")]))


def test_rows_of_a_changelog_are_shown_as_its_store_has_them() -> None:
    key = b"ann" + WINDOW_KEYS.suffix.pack(HOUR_MS, 0)
    entry = KNOWN["shop-hourly-changelog"].entry
    assert entry is not None
    value = entry.plan.spec.codec.encode(5)  # type: ignore[union-attr]
    seen = body(KNOWN["shop-hourly-changelog"], Record(key, value))
    assert seen["key"]["text"] == "ann @ 1970-01-01T01:00:00Z – 1970-01-01T02:00:00Z"
    assert seen["value"]["text"] == "5"


def test_watermarks_and_windowed_keys_are_told_in_words() -> None:
    mark = body(KNOWN["shop-by-user-repartition"], Record(None, None, [("headrace-watermark", b"\x00")]))
    assert mark["value"]["form"] == "watermark"
    serde = windowed_serde(String(), HOUR_MS)
    known = KnownTopic(role="sink", key=serde, value=Integer())
    seen = body(known, Record(serde.serialize(Windowed("ann", 0, HOUR_MS)), Integer().serialize(-3)))
    assert seen["key"]["text"] == "ann @ 1970-01-01T00:00:00Z – 1970-01-01T01:00:00Z"
    assert seen["value"] == {"form": "Integer", "text": "-3"}


def test_typed_text_becomes_the_bytes_of_the_topic_s_type() -> None:
    order = '{"user": 1, "amount": 2.5}'
    assert written("7", Integer(), "key") == (7).to_bytes(8, "big")
    assert written("true", Boolean(), "value") == b"\x01"
    assert MessagePack(Order).deserialize(written(order, MessagePack(Order), "value")) == Order(1, 2.5)
    assert written(order, KNOWN["orders"].value, "value") == order.encode()
    assert written("as it is", None, "value") == b"as it is"
    with pytest.raises(WrongField, match="the key is not Integer"):
        written("seven", Integer(), "key")


def test_record_without_time_and_partition_leaves_them_to_the_client() -> None:
    record = RecordForm(key="a", value=None).record("t", None, 4)
    assert (record.timestamp, record.partition, record.value) == (None, None, None)
