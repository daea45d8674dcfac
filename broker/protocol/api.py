"""How a handler says which API it serves, and in which versions.

The decorator only attaches an `Api` to the function; `broker.handlers.table` collects the handlers explicitly.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias, TypeVar, cast

from broker.protocol.api_keys import ApiKey

HandlerFunction: TypeAlias = Callable[..., Any]
FunctionT = TypeVar("FunctionT", bound=HandlerFunction)

NEVER_FLEXIBLE = 32_767


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """What one handler serves. `raw` handlers parse the body and build the answer themselves (Produce, Fetch)."""

    key: ApiKey
    min_version: int
    max_version: int
    raw: bool = False
    flexible_from: int = NEVER_FLEXIBLE
    """First version with tagged fields; needed for raw handlers only, entities know it themselves."""


class Handler(Protocol):
    """A decorated handler; it returns a response entity, or an awaitable of one.

    A raw handler gets (context, buffer, position of the body) and returns the parts of the body as a list of buffers,
    an awaitable of such a list, or None where the protocol wants no answer (Produce with acks=0).
    """

    api: Api

    def __call__(self, *arguments: Any) -> Any: ...


def api(
    key: ApiKey, min_version: int, max_version: int, *, raw: bool = False, flexible_from: int = NEVER_FLEXIBLE
) -> Callable[[FunctionT], FunctionT]:
    """Marks a function as the handler of an API for versions min to max, both included."""
    description = Api(key=key, min_version=min_version, max_version=max_version, raw=raw, flexible_from=flexible_from)

    def mark(function: FunctionT) -> FunctionT:
        cast(Any, function).api = description
        return function

    return mark
