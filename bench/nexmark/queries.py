"""Queries 0 to 8: the topics that each reads, its program, and how its output is checked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from bench.nexmark.answers import Answer, Oracle
from bench.nexmark.data import NexmarkData, Topic
from streams.serde import Integer


@dataclass(frozen=True, slots=True)
class Query:
    name: str
    """Also that of its program, `bench/nexmark/<name>.py`."""
    topics: tuple[Topic, ...]
    answer: Callable[[Oracle], Answer]
    column: str
    """The field of an output's value that has the answer's number."""
    of: Literal["all", "newest"]
    """Whether numbers of a key are added up, or the newest counts."""

    def data(self, records: int, people: int) -> NexmarkData:
        """So many records of the query's topics, for so many active people."""
        return NexmarkData(records, people, *self.topics)

    def truth(self, data: NexmarkData) -> Answer:
        return self.answer(Oracle(data))

    def tally(self) -> Tally:
        return Tally(self.column, self.of)


@dataclass(slots=True)
class Tally:
    """Takes in what came out, as far as it is in the answer."""

    column: str
    of: Literal["all", "newest"]
    records: int = 0
    by_key: Counter[int] = field(default_factory=Counter)

    def add(self, key: bytes, value: dict[str, Any] | None) -> None:
        """A record's key as it is, and the JSON of its value. A null value deletes its key."""
        self.records += 1
        of = Integer().deserialize(key)
        if value is None:
            self.by_key.pop(of, None)
        elif self.of == "all":
            self.by_key[of] += value[self.column]
        else:
            self.by_key[of] = value[self.column]

    @property
    def total(self) -> int:
        return sum(self.by_key.values())

    def counted(self) -> int:
        return self.total

    def problem(self, truth: Answer) -> str | None:
        """How it differs from the answer; None: not at all."""
        if (self.records, self.by_key) == (truth.records, truth.by_key):
            return None
        keys = sorted(self.by_key.keys() | truth.by_key.keys())
        wrong = [(key, self.by_key.get(key), truth.by_key.get(key)) for key in keys]
        wrong = [(key, said, right) for key, said, right in wrong if said != right]
        few = ", ".join(f"{key}: {said} instead of {right}" for key, said, right in wrong[:5])
        return f"{self.records:,} records instead of {truth.records:,}, {len(wrong):,} keys are wrong: {few}"


QUERIES = {
    query.name: query
    for query in (
        Query("q0_pass_through", ("bid",), Oracle.pass_through, "price", "all"),
        Query("q1_currency_conversion", ("bid",), Oracle.currency_conversion, "price", "all"),
        Query("q2_selection", ("bid",), Oracle.selection, "price", "all"),
        Query("q3_local_items", ("person", "auction"), Oracle.local_items, "auction", "all"),
        Query("q4_category_prices", ("auction", "bid"), Oracle.category_prices, "price", "newest"),
        Query("q5_hot_items", ("bid",), Oracle.hot_items, "bids", "newest"),
        Query("q6_seller_prices", ("auction", "bid"), Oracle.seller_prices, "price", "newest"),
        Query("q7_highest_bid", ("bid",), Oracle.highest_bid, "price", "newest"),
        Query("q8_new_sellers", ("person", "auction"), Oracle.new_sellers, "reserve", "all"),
    )
}
