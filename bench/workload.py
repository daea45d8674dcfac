"""What a workload is: the topics that it reads, and what must come out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, Protocol, TypeVar

from bench.topics import Row
from bench.truth import Expected, Tally


class Data(Protocol):
    """What the topics of a workload hold; `records` is what rates are counted in."""

    @property
    def records(self) -> int: ...
    def topics(self) -> Mapping[str, Iterable[Row]]:
        """Topics, in the order in which programs are told of them, and their rows in order of time."""
        ...


D = TypeVar("D", bound=Data)


@dataclass(frozen=True, slots=True)
class Workload(Generic[D]):
    name: str
    title: str
    """As it is called in tables."""
    data: Callable[[int, int], D]
    """Makes so many records of so many users."""
    truth: Callable[[D], Expected]
    tally: Callable[[], Tally[Any]]
    events: int
    """Records of a full run: so many that it takes Kafka Streams fifteen seconds and more."""
    users: int = 1_000
    progress: Literal["outputs", "commits"] = "outputs"
    """What tells how far a program is: records in the output, where each input makes the same number, else the offsets
    that it has committed, of its inputs and of its repartition topics."""
    module: str = ""
    """The program, where it is not called as the workload."""
    programs: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """By package, what begins the command after `python -m` or `java bench.Main`, where programs are not modules of the
    packages; who is not in it cannot do the workload."""
    by_hand: bool = False
    """Not run unless asked for."""

    @property
    def program(self) -> str:
        return self.module or self.name
