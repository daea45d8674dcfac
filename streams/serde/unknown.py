"""`Unknown`: the type of what nobody declared and nothing proves."""

from __future__ import annotations

from typing import Final, final


@final
class UnknownType:
    """The class of `Unknown`, its only instance; compare with `is`."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "Unknown"

    def __reduce__(self) -> str:
        return "Unknown"


Unknown: Final = UnknownType()
