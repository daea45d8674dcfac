"""Serdes of values as the codecs of stores."""

from __future__ import annotations

from stores import ValueCodec
from streams.serde.serde import Destination, Serde


def codec_of(serde: Serde) -> ValueCodec:
    """How a store writes values of the serde."""

    def bind(changelog: Destination) -> ValueCodec:
        return codec_of(serde.bound(changelog))

    return ValueCodec(serde.serialize, serde.deserialize, None if serde.bind is None else bind)
