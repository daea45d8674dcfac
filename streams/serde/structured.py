"""Serdes of structured values by msgspec: JSON, the default format of everything that is no single value, and
MessagePack.

Decoders are typed: a value that is not what its type says fails where it enters, with the path of the wrong field.
Fields the type does not declare are skipped.
"""

from __future__ import annotations

from typing import Any

import msgspec

from streams.serde.foreign import decode_foreign, encode_foreign
from streams.serde.reflection import describe_type, plain_type
from streams.serde.serde import Serde
from streams.serde.unknown import Unknown

JSON_FORM = "json"
MESSAGE_PACK_FORM = "messagepack"


def Json(type: Any = Any) -> Serde:
    """JSON text in UTF-8 of anything msgspec can hold: Structs, dataclasses, TypedDicts, containers, dates, numbers.

    NaN and infinities have no JSON; msgspec writes them as null.

    Raises:
        TypeError: msgspec knows no JSON for the type.
    """
    kind = Any if plain_type(type) is Unknown else type
    return Serde(
        serialize=msgspec.json.Encoder(enc_hook=encode_foreign).encode,
        deserialize=msgspec.json.Decoder(kind, dec_hook=decode_foreign).decode,
        type=kind,
        name="Json" if kind is Any else f"Json({describe_type(kind)})",
        form=JSON_FORM,
    )


def MessagePack(type: Any = Any) -> Serde:
    """MessagePack of the same types as `Json`, smaller and faster; NaN and infinities survive.

    Raises:
        TypeError: msgspec knows no MessagePack for the type.
    """
    kind = Any if plain_type(type) is Unknown else type
    return Serde(
        serialize=msgspec.msgpack.Encoder(enc_hook=encode_foreign).encode,
        deserialize=msgspec.msgpack.Decoder(kind, dec_hook=decode_foreign).decode,
        type=kind,
        name="MessagePack" if kind is Any else f"MessagePack({describe_type(kind)})",
        form=MESSAGE_PACK_FORM,
    )
