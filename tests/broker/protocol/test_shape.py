"""Requests are outlined before they are read: what their counts and lengths claim is there."""

from __future__ import annotations

import contextlib
import io
import random
import struct
from datetime import timedelta

import pytest
from kio.index import load_payload_module, load_request_schema
from kio.schema.types import BrokerId
from kio.serial import entity_writer
from kio.serial.errors import SerialError
from kio.static.constants import EntityType

from broker.protocol.advertised import ADVERTISED
from broker.protocol.api_keys import ApiKey
from broker.protocol.entities import VersionedEntities
from broker.protocol.shape import Edit, edited, shape_of
from tests.broker.entities import random_entity

VERSIONS = [(key, version) for key, (low, high) in ADVERTISED.items() for version in range(low, high + 1)]
HUGE = (b"\x7f\xff\xff\xff", b"\xff\xff\xff\xff\x0f", b"\xff\xff\xff\xff\x07", b"\x00\xff\xff\xff", b"\xff\xff\x7f")


REFUSALS = (ValueError, IndexError, KeyError, struct.error, SerialError)


def served(key: ApiKey, version: int) -> bool:
    return key is not ApiKey.PRODUCE or version >= 3


@pytest.mark.parametrize("key", list(ADVERTISED))
def test_what_kio_writes_has_its_shape(key: ApiKey) -> None:
    """In every version, whatever stands in the fields, with the same end."""
    randomness = random.Random(key)
    low, high = ADVERTISED[key]
    for version in range(low, high + 1):
        if not served(key, version):
            continue
        entity = load_request_schema(key, version)
        for _ in range(20):
            out = io.BytesIO()
            entity_writer(entity)(out, random_entity(entity, randomness))
            data = b"before" + out.getvalue()
            assert shape_of(entity).check(data, 6, []) == len(data)
            if len(data) > 6:
                with pytest.raises((ValueError, IndexError, struct.error)):
                    shape_of(entity).check(data[:-1], 6, [])


@pytest.mark.parametrize("key", list(ADVERTISED))
def test_count_beyond_the_end_is_refused_before_room_is_made_for_it(key: ApiKey) -> None:
    """Where the codec would ask for 32 GiB the process would end."""
    low, high = ADVERTISED[key]
    for version in range(low, high + 1):
        if not served(key, version):
            continue
        entities = VersionedEntities(key, version)
        for huge in HUGE:
            for before in range(24):
                for filling in (b"\0", b"\1", b"\2"):
                    with contextlib.suppress(*REFUSALS):
                        entities.read(memoryview(filling * before + huge * 3), 0)


def test_array_of_structures_is_measured_by_their_least_size() -> None:
    entity = load_request_schema(ApiKey.OFFSET_FETCH, 1)
    body = struct.pack(">h", 1) + b"g" + struct.pack(">i", 9) + bytes(50)
    with pytest.raises(ValueError, match="an array of 9 items where 50 bytes are left"):
        shape_of(entity).check(body, 0, [])


def test_null_array_is_refused_where_the_schema_has_none() -> None:
    """The codec reads it as None, which no handler expects."""
    shape = shape_of(load_request_schema(ApiKey.LIST_OFFSETS, 1))
    with pytest.raises(ValueError, match="must not be null"):
        shape.check(b"\xff" * 8, 0, [])
    shape = shape_of(load_request_schema(ApiKey.METADATA, 1))
    assert shape.check(b"\xff" * 4, 0, []) == 4


# -- tagged fields -----------------------------------------------------------------------------------------------------
UNKNOWN = b"\x63\x03abc"
"""Tag 99."""


def test_unknown_tagged_fields_are_passed_over() -> None:
    """In the request, and in a structure of it: two unknown ones among none that are known."""
    module = load_payload_module(ApiKey.METADATA, 12, EntityType.request)
    topic = module.MetadataRequestTopic(topic_id=None, name="t")
    request = module.MetadataRequest(
        topics=(topic, topic), allow_auto_topic_creation=True, include_topic_authorized_operations=False
    )
    out = io.BytesIO()
    entity_writer(type(request))(out, request)
    plain = out.getvalue()
    first_topic = plain.index(b"\x02t\0") + 2
    later = plain[:first_topic] + b"\x02" + UNKNOWN * 2 + plain[first_topic + 1 : -1] + b"\x01" + UNKNOWN
    assert VersionedEntities(ApiKey.METADATA, 12).read(memoryview(b"before" + later), 6) == request


def test_unknown_field_within_a_tagged_field_is_passed_over() -> None:
    """The size of the tagged field is what is left of it; known ones around it stay."""
    module = load_payload_module(ApiKey.FETCH, 17, EntityType.request)
    state = module.ReplicaState(replica_id=BrokerId(3), replica_epoch=7)
    request = module.FetchRequest(
        cluster_id="c", replica_state=state, max_wait=timedelta(0), min_bytes=1, max_bytes=1, isolation_level=0,
        session_id=0, session_epoch=-1, topics=(), forgotten_topics_data=(), rack_id="",
    )  # fmt: skip
    out = io.BytesIO()
    entity_writer(type(request))(out, request)
    plain = out.getvalue()
    tail = b"\x02\x00\x02\x02c\x01\x0d" + struct.pack(">iq", 3, 7) + b"\0"
    assert plain.endswith(tail), "tags 0, the cluster, and 1, the replica's state, whose own tags are none"
    longer = b"\x03\x00\x02\x02c\x01\x12" + struct.pack(">iq", 3, 7) + b"\x01" + UNKNOWN + UNKNOWN
    edits: list[Edit] = []
    later = plain[: -len(tail)] + longer
    assert shape_of(type(request)).check(later, 0, edits) == len(later)
    assert edited(later, 0, edits) == plain


def test_too_many_unknown_tagged_fields_are_refused() -> None:
    """Each takes room here, and may be two bytes of a large request."""
    shape = shape_of(load_request_schema(ApiKey.LIST_GROUPS, 3))
    with pytest.raises(ValueError, match="unknown"):
        shape.check(b"\x90\x4e" + b"\x63\x00" * 10_000, 0, [])
