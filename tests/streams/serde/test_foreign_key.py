"""Messages of foreign-key joins: hashes that survive a trip through bytes, shapes of types, versions."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
import pytest

from streams import Json, MessagePack, Serde, String
from streams.serde.foreign_key import response_serde, shape_of, subscriber_key_serde, subscription_serde, value_hasher


class Tagged(msgspec.Struct):
    tags: set[str]
    sizes: dict[str, int]


@pytest.mark.parametrize("serde", [Json(Tagged), MessagePack(Tagged)])
def test_hash_of_a_value_that_was_written_and_read_is_that_of_the_value(serde: Serde) -> None:
    """Sets come back in another order, as soon as they are large enough, and in another process anyway."""
    hashed = value_hasher(serde)
    tags = [f"tag{i}" for i in range(200)]
    one = Tagged(set(tags), {"a": 1, "b": 2})
    other = Tagged(set(), {"b": 2, "a": 1})
    for tag in [*(f"other{i}" for i in range(2000)), *reversed(tags)]:  # a set that grew has its items elsewhere
        other.tags.add(tag)
    for i in range(2000):
        other.tags.discard(f"other{i}")
    assert list(one.tags) != list(other.tags)
    assert hashed(one) == hashed(other) == hashed(serde.deserialize(serde.serialize(other)))
    assert hashed(one) != hashed(Tagged(set(tags[1:]), one.sizes))
    assert len(hashed(one)) == 16


def test_shape_changes_with_the_fields_of_the_type_and_with_the_format() -> None:
    @dataclass
    class Narrow:
        a: int

    @dataclass
    class Wide:
        a: int
        b: int = 0

    shapes = [shape_of(each) for each in (Json(Narrow), Json(Wide), MessagePack(Wide), Json(), String())]
    assert len(set(shapes)) == 5
    assert shape_of(Json(Narrow)) == shapes[0]
    assert {len(shape) for shape in shapes} == {4}


def test_shape_of_a_model_of_another_library_follows_its_fields() -> None:
    from pydantic import BaseModel

    from streams.serde import serde_for

    class Narrow(BaseModel):
        a: int

    class Wide(Narrow):
        b: int = 0

    assert shape_of(serde_for(Narrow, role="value")) != shape_of(serde_for(Wide, role="value"))


@pytest.mark.parametrize("serde", [subscription_serde(), response_serde(Json())])
def test_message_of_a_newer_version_is_refused_with_both_versions(serde: Serde) -> None:
    assert serde.deserialize(b"\x01rest") == b"\x01rest"
    with pytest.raises(ValueError, match="version 2, but this headrace reads version 1"):
        serde.deserialize(b"\x02rest")


def test_subscriber_key_reads_back_what_it_wrote() -> None:
    serde = subscriber_key_serde(String(), String())
    for pair in [("", ""), ("x", "a"), ("xa", ""), ("ü", "b")]:
        assert serde.deserialize(serde.serialize(pair)) == pair
    assert serde.serialize(("x", "ab")) == b"\x00\x00\x00\x01xab"
