"""What a type checker makes of a topology; `test_types.py` has pyright check it. Never run."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, assert_type

import msgspec

from streams import (
    App,
    Context,
    F,
    FixedKeyProcessor,
    FixedKeyRecord,
    KStream,
    KTable,
    Processor,
    Record,
    Stores,
    Windowed,
    tumbling,
)
from streams.processors import FixedKeyProcessorContext, ProcessorContext
from streams.state import KeyValueStore, SessionStore, StoreDeclaration, WindowStore


class Flight(msgspec.Struct):
    origin: str
    delay: int


class Airport(msgspec.Struct):
    state: str


app = App("types")
flights = app.stream("flights", key=str, value=Flight)
airports = app.table("airports", key=str, value=Airport)
SECOND = timedelta(seconds=1)


def sources() -> None:
    assert_type(flights, KStream[str, Flight])
    assert_type(airports, KTable[str, Airport])


async def later(flight: Flight) -> int:
    return flight.delay


async def with_key(key: str, flight: Flight) -> list[str]:
    return [key]


async def later_with_context(flight: Flight, context: Context) -> float:
    return 1.0


def delays(batch: list[Flight]) -> list[int]:
    return [flight.delay for flight in batch]


def calls() -> None:
    assert_type(flights.map_async(later, concurrency=4, timeout=SECOND, retries=2), KStream[str, int])
    assert_type(flights.map_async(with_key), KStream[str, list[str]])
    assert_type(flights.map_async(later_with_context), KStream[str, float])
    assert_type(flights.map_async(lambda v: later(v)), KStream[str, int])
    assert_type(flights.map_batch(delays, max_size=8, max_wait=SECOND), KStream[str, int])
    assert_type(flights.map_batch(lambda batch: [f.origin for f in batch]), KStream[str, str])
    assert_type(flights.map_batch(lambda array: array["delay"], format="numpy", value=int), KStream[str, int])
    assert_type(flights.map_batch(lambda table: table["delay"], format="arrow"), KStream[str, Any])


def stateless() -> None:
    assert_type(flights.filter(lambda k, v: v.delay > 0), KStream[str, Flight])
    assert_type(flights.filter(F.delay > 0), KStream[str, Flight])
    assert_type(flights.filter_not(lambda k, v: v.delay > 0), KStream[str, Flight])
    assert_type(flights.map_values(lambda v: v.delay), KStream[str, int])
    assert_type(flights.map_values(lambda k, v: k), KStream[str, str])
    assert_type(flights.map_values(F.delay, value=int), KStream[str, int])
    assert_type(flights.map_values(F.delay), KStream[str, Any])
    assert_type(flights.flat_map_values(lambda v: [v.delay]), KStream[str, int])
    assert_type(flights.map(lambda k, v: (v.delay, k)), KStream[int, str])
    assert_type(flights.flat_map(lambda k, v: [(v.delay, k)]), KStream[int, str])
    assert_type(flights.select_key(lambda k, v: v.delay), KStream[int, Flight])
    assert_type(flights.peek(lambda k, v: None), KStream[str, Flight])
    assert_type(flights.merge(flights), KStream[str, Flight])
    assert_type(flights.split().branch(lambda k, v: True).no_default_branch(), dict[str, KStream[str, Flight]])
    assert_type(flights.repartition(), KStream[str, Flight])
    assert_type(flights.deduplicate(within=SECOND, by=F.origin), KStream[str, Flight])
    assert_type(flights.deduplicate(within=SECOND, by=lambda v: v.origin), KStream[str, Flight])


def with_context(key: str, value: Flight, context: Context) -> int:
    return context.offset


def of_value(value: Flight, context: Context) -> int:
    return context.offset


def contexts() -> None:
    assert_type(flights.filter(with_context), KStream[str, Flight])
    assert_type(flights.map_values(with_context), KStream[str, int])
    assert_type(flights.map_values(of_value), KStream[str, int])
    assert_type(flights.select_key(with_context), KStream[int, Flight])


def tables_and_groups() -> None:
    assert_type(flights.to_table(), KTable[str, Flight])
    assert_type(airports.to_stream(), KStream[str, Airport])
    assert_type(flights.join(airports, lambda flight, airport: airport.state), KStream[str, str])
    assert_type(flights.left_join(airports, lambda flight, airport: airport is None), KStream[str, bool])
    assert_type(flights.group_by_key().count(), KTable[str, int])
    assert_type(flights.group_by(lambda k, v: v.delay).count(), KTable[int, int])
    assert_type(flights.group_by_key().reduce(lambda a, v: v), KTable[str, Flight])
    windowed = flights.group_by_key().windowed_by(tumbling(SECOND, grace=SECOND))
    assert_type(windowed.count(), KTable[Windowed[str], int])
    assert_type(windowed.count().to_stream(), KStream[Windowed[str], int])


class Delays(Processor[str, Flight, str, int]):
    def process(self, record: Record[str, Flight]) -> None:
        assert_type(self.context, ProcessorContext[str, int])
        self.context.forward(record.with_value(record.value.delay))
        self.context.forward(record)  # pyright: ignore[reportArgumentType]


class Same(Processor[str, Flight]):
    def process(self, record: Record[str, Flight]) -> None:
        assert_type(self.context, ProcessorContext[str, Flight])


class DelayValues(FixedKeyProcessor[str, Flight, int]):
    def process(self, record: FixedKeyRecord[str, Flight]) -> None:
        assert_type(self.context, FixedKeyProcessorContext[str, int])
        assert_type(record.with_value(1), FixedKeyRecord[str, int])


DELAYS = Stores.key_value("delays", key=str, value=int)


def processors(context: ProcessorContext[str, int]) -> None:
    assert_type(flights.process(Delays), KStream[str, int])
    assert_type(flights.process(lambda: Delays()), KStream[str, int])
    assert_type(flights.process(Delays()), KStream[str, int])
    assert_type(flights.process(Same), KStream[str, Flight])
    assert_type(flights.process_values(DelayValues), KStream[str, int])
    assert_type(DELAYS, StoreDeclaration[KeyValueStore[str, int]])
    assert_type(app.add_store(DELAYS), StoreDeclaration[KeyValueStore[str, int]])
    assert_type(context.store(DELAYS).get("BOS"), int | None)
    assert_type(
        Stores.window("w", size=SECOND, retention=SECOND, key=str, value=Flight),
        StoreDeclaration[WindowStore[str, Flight]],
    )
    assert_type(Stores.session("s", retention=SECOND, key=str, value=int), StoreDeclaration[SessionStore[str, int]])


def mistakes(numbered: KStream[int, Flight], context: ProcessorContext[str, int]) -> None:
    """Each of these is an error; pyright complains about an ignore that nothing needs."""
    numbered.process(Delays)  # pyright: ignore[reportArgumentType]
    flights.process_values(Delays)  # pyright: ignore[reportArgumentType]
    flights.map_values(lambda v: v.no_such_field)  # pyright: ignore
    numbered.join(airports, lambda flight, airport: 1)  # pyright: ignore[reportArgumentType]
    context.store(DELAYS).put(5, 5)  # pyright: ignore[reportArgumentType]
    context.forward(FixedKeyRecord("k", 1, 1))  # pyright: ignore[reportArgumentType]
    numbered.count()  # pyright: ignore[reportAttributeAccessIssue]
    numbered.group_by_key().to("out")  # pyright: ignore[reportAttributeAccessIssue]
    numbered["delay"]  # pyright: ignore[reportIndexIssue]
