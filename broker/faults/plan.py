"""The faults in force: which of them a request meets."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from broker.faults.fault import Fault
from broker.faults.subject import groups_named, topics_named

if TYPE_CHECKING:
    from broker.protocol.api_keys import ApiKey
    from broker.topics.catalogue import TopicCatalogue


class PlannedFault:
    """A fault and what has come of it."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        self.key = fault.key
        self.hits = 0
        """Requests it has struck."""
        self.random = random.Random(fault.seed)

    @property
    def used_up(self) -> bool:
        return self.fault.times is not None and self.hits >= self.fault.times


class FaultPlan:
    """All faults by number, in the order they were added. Used in the event loop's thread."""

    def __init__(self) -> None:
        self.faults: dict[int, PlannedFault] = {}
        """With those that are used up: their hits can still be asked for."""
        self.last_number = 0

    def __iter__(self) -> Iterator[PlannedFault]:
        return iter(self.faults.values())

    @property
    def active(self) -> bool:
        """Whether any request can meet a fault."""
        return any(not planned.used_up for planned in self)

    def add(self, fault: Fault) -> int:
        """Returns the number it is removed by."""
        self.last_number += 1
        self.faults[self.last_number] = PlannedFault(fault)
        return self.last_number

    def remove(self, number: int) -> None:
        self.faults.pop(number, None)

    def clear(self) -> None:
        self.faults.clear()

    def strike(
        self, key: ApiKey, client_id: str | None, read: Callable[[], Any], topics: TopicCatalogue
    ) -> Fault | None:
        """The first fault that the request meets, counted; None: it goes its way. `read` gives the request entity."""
        for planned in self:
            fault = planned.fault
            if planned.used_up or (planned.key is not None and planned.key != key):
                continue
            if fault.client_id is not None and fault.client_id != client_id:
                continue
            if fault.group is not None and fault.group not in groups_named(read()):
                continue
            if fault.topic is not None and fault.topic not in topics_named(read(), topics):
                continue
            if fault.probability < 1 and planned.random.random() >= fault.probability:
                continue
            planned.hits += 1
            return fault
        return None
