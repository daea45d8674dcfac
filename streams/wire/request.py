"""What a request is to a connection: an API with its versions, fields to fill in, and a way to read the answer."""

from __future__ import annotations

from typing import Any, ClassVar, Protocol, TypeVar

from msgspec import Struct

from streams.wire.schema import Fields

AnswerT_co = TypeVar("AnswerT_co", covariant=True)


class Api(Struct, frozen=True):
    """A Kafka API and the versions of it this client can speak (both ends inclusive)."""

    name: str
    key: int
    lowest: int
    highest: int


class Request(Protocol[AnswerT_co]):
    """One request. Its answer is plain data of ours, the same for all versions."""

    api: ClassVar[Api]

    def fields(self) -> Fields:
        """What to fill in, for all versions at once; see `streams.wire.schema.fill`."""
        ...

    def answer(self, response: Any) -> AnswerT_co:
        """The meaning of kio's response entity of whichever version was spoken."""
        ...
