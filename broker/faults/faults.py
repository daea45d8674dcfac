"""Faults as whoever holds a broker adds and removes them: `broker.faults`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypedDict

from broker.faults.fault import Fault

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self, Unpack

Ask = Callable[[Mapping[str, Any]], Any]
"""Has the broker carry out an order. Raises BrokerError where it is refused or nobody is there."""


class Which(TypedDict, total=False):
    """Which requests a fault strikes, how often and when; see `Fault`."""

    after: bool
    times: int
    probability: float
    seed: int
    topic: str
    group: str
    client_id: str


class Delayed(Which, total=False):
    """The same, with a delay before."""

    delay_ms: int


class PlacedFault:
    """A fault in force. As a context manager it is removed at the block's end."""

    def __init__(self, fault: Fault, number: int, ask: Ask) -> None:
        self.fault = fault
        self.number = number
        self.ask = ask

    @property
    def hits(self) -> int:
        """How many requests it has struck. Raises BrokerError once it is removed."""
        return self.ask({"do": "fault_hits", "number": self.number})

    def remove(self) -> None:
        """Requests that it struck go on suffering: a delay is not cut short."""
        self.ask({"do": "remove_fault", "number": self.number})

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.remove()


class Faults:
    """The faults of a running broker; a restart ends them. APIs and errors go by Kafka's names: "EndTxn",
    "NOT_COORDINATOR"; "*" is every API. Of several faults that fit, a request meets the one added first.

    Raises FaultError for what makes no fault, BrokerError if the broker is not running.
    """

    def __init__(self, ask: Ask) -> None:
        self.ask = ask

    def delay(self, api: str, ms: int, **which: Unpack[Which]) -> PlacedFault:
        """Requests wait before they are carried out; with `after=True` their answers wait."""
        return self.add(Fault(api=api, action="delay", delay_ms=ms, **which))

    def error(self, api: str, code: str, **which: Unpack[Delayed]) -> PlacedFault:
        """Requests are answered with the error and not carried out; with `after=True` they are, and look as if not."""
        return self.add(Fault(api=api, action="error", error=code, **which))

    def drop(self, api: str, **which: Unpack[Delayed]) -> PlacedFault:
        """Requests are carried out, but their connections say nothing any more."""
        return self.add(Fault(api=api, action="drop", **which))

    def close(self, api: str, **which: Unpack[Delayed]) -> PlacedFault:
        """Connections are closed instead of carrying out requests; with `after=True` instead of answering them."""
        return self.add(Fault(api=api, action="close", **which))

    def add(self, fault: Fault | str) -> PlacedFault:
        """A fault that was made elsewhere, or a text for `Fault.parse`."""
        from broker.control import fault_order

        made = Fault.parse(fault) if isinstance(fault, str) else fault
        return PlacedFault(made, self.ask(fault_order(made)), self.ask)

    def clear(self) -> None:
        """Removes all."""
        self.ask({"do": "clear_faults"})
