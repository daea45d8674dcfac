"""What the two sides of a foreign-key join tell each other: subscriptions, responses, and the keys subscriptions lie
under. All numbers are big-endian. The layouts are private to an application's internal topics and stores.

A subscription goes from a left row to the right row it refers to, under the foreign key:

    offset  width  field
    0       1      1, the version of this layout
    1       1      instruction, see `Instruction`
    2       25     the subscriber, as the right side keeps it
    27      ...    primary key, as the left table's serde writes it

A subscriber, a row of the subscription store under `prefix(foreign key)` and the primary key:

    0       4      partition of the left row, which responses go to
    4       1      1, the version of the response's layout
    5       4      shape of the left values, see `shape_of`
    9       16     hash of the left value, see `value_hasher`; zeros for none

A response goes back under the primary key. It begins as the subscriber ends, so that one concatenation makes it:

    0       1      1, the version of this layout
    1       4      shape of the left value that it answers
    5       16     hash of the left value that it answers
    21      1      0: the right row was deleted; 1: here it is; 2: a subscription found none, or asked to be told none
    22      ...    the right row's value, as its own serde writes it

Source: `SubscriptionWrapper`, `SubscriptionResponseWrapper`, `CombinedKeySchema` (KIP-213) say the same in other
layouts.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from enum import IntEnum
from hashlib import blake2b
from inspect import get_annotations
from typing import Any
from zlib import crc32

import msgspec

from streams.serde.foreign import encode_foreign
from streams.serde.serde import Serde
from streams.serde.structured import JSON_FORM, MESSAGE_PACK_FORM

VERSION = 1
SUBSCRIBER = slice(2, 27)
PRIMARY_KEY_AT = 27
SHAPE = slice(1, 5)
HASH = slice(5, 21)
ANSWER_AT = 21
RIGHT_VALUE_AT = 22
NO_VALUE = bytes(16)
"""The hash of a left row that is not there."""
DELETED, FOUND, NOT_FOUND = b"\x00", b"\x01", b"\x02"
"""How a response goes on behind the hash."""

LENGTH = struct.Struct(">I")
PARTITION_AND_VERSION = struct.Struct(">IB")


class Instruction(IntEnum):
    """What the right side does with a subscription. Source: `SubscriptionWrapper.Instruction`, numbers included."""

    DELETE_NO_PROPAGATE = 0
    """Forget the subscriber."""
    DELETE_AND_PROPAGATE = 1
    """Forget the subscriber, and answer that there is no row."""
    PROPAGATE_NULL_IF_NONE = 2
    """Remember the subscriber, and answer in any case."""
    PROPAGATE_ONLY_IF_FOUND = 3
    """Remember the subscriber, and answer if there is a row."""


def subscription_head(instruction: Instruction, partition: int, shape: bytes) -> bytes:
    """A subscription as far as it is the same for all rows of a task: the hash and the primary key are to follow."""
    return bytes((VERSION, instruction)) + PARTITION_AND_VERSION.pack(partition, VERSION) + shape


def value_hasher(left: Serde) -> Callable[[Any], bytes]:
    """The function that makes the 128 bits that tell one left value from another.

    Equal values that were written and read again have the same: sets and dicts are taken in a fixed order.
    """
    encode = left.serialize
    if left.form == JSON_FORM:
        encode = msgspec.json.Encoder(enc_hook=encode_foreign, order="deterministic").encode
    elif left.form == MESSAGE_PACK_FORM:
        encode = msgspec.msgpack.Encoder(enc_hook=encode_foreign, order="deterministic").encode

    def value_hash(value: Any) -> bytes:
        return blake2b(encode(value), digest_size=16).digest()

    return value_hash


def shape_of(left: Serde) -> bytes:
    """Four bytes that change when the type of the values does: hashes made before tell nothing then, as a row that was
    written before a field was added is hashed with that field now."""
    try:
        described = json.dumps(msgspec.json.schema(left.type), sort_keys=True)
    except (TypeError, ValueError):  # a class of another library
        described = repr(sorted(_fields(left.type)))
    return LENGTH.pack(crc32(f"{left.form or left.name} {described}".encode()))


def _fields(kind: Any) -> list[str]:
    """The names of a class's fields, those of the classes above it included; none if it has none."""
    above: tuple[Any, ...] = getattr(kind, "__mro__", ())
    return [name for cls in above for name in get_annotations(cls)]


def prefix(foreign_key: bytes) -> bytes:
    """What the keys of all subscribers of a right row begin with; the primary key follows."""
    return LENGTH.pack(len(foreign_key)) + foreign_key


def partition_of(response: bytes) -> int:
    """Where a response goes whose four bytes of the partition are still before it."""
    return LENGTH.unpack_from(response)[0]


def subscription_serde() -> Serde:
    """Subscriptions as bytes. Raises ValueError when it reads another version."""
    return _messages("Subscription", "a subscription", "subscription")


def response_serde(right: Serde) -> Serde:
    """Responses as bytes; `right` is the serde of the right table's values, which are in them. Raises ValueError when
    it reads another version."""
    return _messages("SubscriptionResponse", "a response to a subscription", f"response {right.form or right.name}")


def subscriber_key_serde(foreign: Serde, primary: Serde) -> Serde:
    """Pairs (foreign key, primary key), so that people see whose row of the subscription store it is."""

    def serialize(pair: tuple[Any, Any]) -> bytes:
        return prefix(foreign.serialize(pair[0])) + primary.serialize(pair[1])

    def deserialize(data: bytes) -> tuple[Any, Any]:
        end = 4 + LENGTH.unpack_from(data)[0]
        return foreign.deserialize(data[4:end]), primary.deserialize(data[end:])

    return Serde(
        serialize=serialize,
        deserialize=deserialize,
        type=tuple[foreign.type, primary.type],
        name=f"Subscriber({foreign.name}, {primary.name})",
        form=f"subscriber {foreign.form or foreign.name}, {primary.form or primary.name}",
        schema=(foreign.schema, primary.schema),
        bind=None
        if foreign.bind is None and primary.bind is None
        else lambda destination: subscriber_key_serde(foreign.bound(destination), primary.bound(destination)),
    )


def _messages(name: str, what: str, form: str) -> Serde:
    """Bytes that are taken apart where they are used."""

    def deserialize(data: bytes) -> bytes:
        if data[0] != VERSION:
            raise ValueError(
                f"{what} has version {data[0]}, but this headrace reads version {VERSION}: a newer one wrote it"
            )
        return data

    return Serde(serialize=bytes, deserialize=deserialize, type=bytes, name=name, form=form)
