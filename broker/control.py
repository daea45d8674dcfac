"""Orders to a running broker, from the thread or the process that holds it: faults, the clock, the request log.

An order is a mapping `{"do": name, …}` that JSON can carry; so is what it comes to.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from broker.errors import BrokerError
from broker.faults.fault import Fault

if TYPE_CHECKING:
    from broker.clock import BrokerClock
    from broker.server.server import Server


class Control:
    """To be used in the event loop's thread."""

    def __init__(self, server: Server, clock: BrokerClock) -> None:
        self.server = server
        self.clock = clock
        self.orders: Mapping[str, Callable[[Mapping[str, Any]], Any]] = {
            "add_fault": self.add_fault,
            "remove_fault": self.remove_fault,
            "clear_faults": self.clear_faults,
            "fault_hits": self.fault_hits,
            "kill_connections": self.kill_connections,
            "advance_clock": self.advance_clock,
            "log_requests": self.log_requests,
        }

    def obey(self, order: Mapping[str, Any]) -> dict[str, Any]:
        """`{"result": …}`, or `{"error": message}` for what was refused."""
        try:
            return {"result": self.orders[order["do"]](order)}
        except (BrokerError, ValueError) as error:
            return {"error": str(error)}

    # -- orders ------------------------------------------------------------------------------------------------------
    def add_fault(self, order: Mapping[str, Any]) -> int:
        number = self.server.watch.faults.add(Fault(**order["fault"]))
        self.server.watch.changed()
        return number

    def remove_fault(self, order: Mapping[str, Any]) -> None:
        self.server.watch.faults.remove(order["number"])
        self.server.watch.changed()

    def clear_faults(self, order: Mapping[str, Any]) -> None:
        self.server.watch.faults.clear()
        self.server.watch.changed()

    def fault_hits(self, order: Mapping[str, Any]) -> int:
        planned = self.server.watch.faults.faults.get(order["number"])
        if planned is None:
            raise BrokerError(f"fault {order['number']} was removed, or the broker was started again since")
        return planned.hits

    def kill_connections(self, order: Mapping[str, Any]) -> int:
        return self.server.kill_connections()

    def advance_clock(self, order: Mapping[str, Any]) -> int:
        """The time by the broker's clock, ms since the epoch."""
        self.clock.advance(order["ms"])
        self.server.clock_moved()
        return self.clock.now_ms()

    def log_requests(self, order: Mapping[str, Any]) -> None:
        self.server.watch.log_requests(order["on"])


def fault_order(fault: Fault) -> dict[str, Any]:
    """The order that adds a fault."""
    return {"do": "add_fault", "fault": asdict(fault)}
