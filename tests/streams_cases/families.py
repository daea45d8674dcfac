"""Small random topologies about one thing each, named as the families of recorded cases are. They get more inputs than
pipelines, so that more of what an operator does is met."""

from __future__ import annotations

from collections.abc import Callable

from tests.streams_cases.operators import Handle, Operators

STATELESS = ("filter", "filter_not", "map_values", "map", "select_key", "flat_map", "flat_map_values", "repartition")
PROCESSORS = (
    *("dedup", "running_count", "stamp:3", "stamp:-2", "stream_time", "fan", "rekey:value_text"),
    *("tick:7:stream", "tick:20:stream", "tick:10:wall", "tick_cancel:5:stream:2", "tick_cancel:10:wall:3"),
    *("emit_every:7:stream", "emit_every:20:wall", "ttl:10:stream"),
)


class Sources:
    """A topic can be read as one table only, by as many operators as want it."""

    def __init__(self, operators: Operators, versioned: float = 0.0) -> None:
        self.operators = operators
        self.versioned = versioned
        self._tables: dict[str, Handle] = {}

    def table(self, topic: str) -> Handle:
        if topic not in self._tables:
            self._tables[topic] = self.operators.table(topic, versioned=self.versioned)
        return self._tables[topic]

    def mapped_table(self, topic: str, most: int) -> Handle:
        """Behind up to so many operators."""
        return mapped(self.operators, self.table(topic), most)

    def mapped_stream(self, topic: str, most: int) -> Handle:
        stream = self.operators.stream(topic)
        for _ in range(self.operators.choices.number(0, most)):
            op = self.operators.choices.one(*STATELESS, "peek", "merge")
            if op == "merge":
                stream = self.operators.merge(stream, self.operators.stream("other"))
            else:
                stream = self.operators.on_stream(stream, op)
        return stream


def mapped(operators: Operators, table: Handle, most: int) -> Handle:
    for _ in range(operators.choices.number(0, most)):
        table = operators.on_table(table)
    return table


def grouped_at_times(operators: Operators, table: Handle) -> Handle:
    return operators.aggregate(operators.group(table)) if operators.choices.chance(0.3) else table


def stateless(operators: Operators) -> None:
    stream = Sources(operators).mapped_stream("in", 5)
    if operators.choices.chance(0.2):
        branches = operators.split(stream, operators.choices.one("rest", None))
        for branch in branches:
            operators.to(branch)
    else:
        operators.to(stream)


def window(operators: Operators) -> None:
    _windows(operators, final=0.25)


def emit_final(operators: Operators) -> None:
    _windows(operators, final=1.0)


def _windows(operators: Operators, final: float) -> None:
    stream = Sources(operators).mapped_stream("in", 1)
    table = operators.aggregate(operators.windowed(operators.group(stream), final=final), forgetful=0.5)
    if operators.choices.chance(0.3):
        value = operators.choices.value_function()
        table = Handle(operators.declare("map_values", of=table.id, fn=value), "table", table.windows)
    operators.to(table)


def cogroup(operators: Operators) -> None:
    topics = ("left", "right", "third")[: operators.choices.number(1, 3)]
    group = operators.cogroup([operators.stream(topic) for topic in topics])
    if operators.choices.chance(0.75):
        group = operators.windowed(group)
    operators.to(operators.aggregate(group, forgetful=0.4))


def table(operators: Operators) -> None:
    operators.to(Sources(operators).mapped_table("in", 5))


def table_aggregate(operators: Operators) -> None:
    sources = Sources(operators, versioned=0.15)
    if operators.choices.chance(0.7):
        table = sources.table("in")
    else:
        table = operators.aggregate(operators.group(operators.stream("in")))
    table = operators.aggregate(operators.group(mapped(operators, table, 2)))
    operators.to(grouped_at_times(operators, mapped(operators, table, 1)))


def versioned(operators: Operators) -> None:
    sources = Sources(operators, versioned=1.0)
    table = sources.mapped_table("in", 3)
    match operators.choices.one("stream", "group", "join", "join", "join_table"):
        case "group":
            table = operators.aggregate(operators.group(table))
        case "join":
            other = mapped(operators, operators.table("right", versioned=0.5), 1)
            left, right = (table, other) if operators.choices.chance(0.5) else (other, table)
            table = mapped(operators, operators.join_tables(left, right), 1)
        case "join_table":
            table = operators.join_table(sources.mapped_stream("left", 1), table)
        case _:
            pass
    operators.to(table)


def suppress(operators: Operators) -> None:
    choices = operators.choices
    if choices.chance(0.6):
        table = operators.aggregate(operators.windowed(operators.group(operators.stream("in"))))
        if not table.final:
            if table.windows == "time":
                table = mapped(operators, table, 1)
            if choices.chance(0.7):
                full = choices.one(None, None, "shut_down")
                most = choices.one(1, 2, 4) if full else None
                table = operators.suppress(table, until="window_closes", full=full, max_records=most)
            else:
                table = operators.suppress(table, until="time_limit", limit=choices.one(0, 1, 5, 20))
    else:
        full = choices.one(None, "emit_early", "shut_down")
        limit, most = choices.one(0, 1, 5, 20), choices.one(1, 2, 3) if full else None
        table = Sources(operators).mapped_table("in", 1)
        table = operators.suppress(table, until="time_limit", limit=limit, full=full, max_records=most)
    operators.to(table)


def join_stream_stream(operators: Operators) -> None:
    sources = Sources(operators)
    first = sources.mapped_stream("left", 1)
    joined = operators.join_streams(first, sources.mapped_stream("right", 1))
    if operators.choices.chance(0.5):
        other = first if operators.choices.chance(0.5) else operators.stream("third")
        joined = operators.join_streams(joined, other)
    operators.to(joined)


def join_stream_table(operators: Operators) -> None:
    sources = Sources(operators, versioned=0.3)
    match operators.choices.one("table", "aggregate", "to_table"):
        case "table":
            table = sources.mapped_table("table", 2)
        case "aggregate":
            table = operators.aggregate(operators.group(operators.stream("table")))
        case _:
            table = operators.to_table(operators.stream("table"))
    operators.to(operators.join_table(sources.mapped_stream("in", 2), table))


def join_table_table(operators: Operators) -> None:
    sources, choices = Sources(operators, versioned=0.15), operators.choices
    left = sources.mapped_table("left", 2)
    right = left if choices.chance(0.2) else sources.mapped_table("right", 2)
    for topic in ("third", "fourth", "fifth")[: choices.number(1, 3)]:
        joined = mapped(operators, operators.join_tables(left, right), 1)
        other = choices.one(left, right, sources.table(topic))
        left, right = (joined, other) if choices.chance(0.5) else (other, joined)
    operators.to(grouped_at_times(operators, operators.join_tables(left, right)))


def join_foreign_key(operators: Operators) -> None:
    operators.choices.values = operators.choices.one("text", "text", "small")
    sources = Sources(operators, versioned=0.2)
    left, right = sources.mapped_table("left", 1), sources.mapped_table("right", 1)
    joined = mapped(operators, operators.join_foreign_key(left, right), 1)
    operators.to(grouped_at_times(operators, joined))


def join_global(operators: Operators) -> None:
    table = operators.global_table("global")
    operators.to(operators.join_global(Sources(operators).mapped_stream("in", 2), table))


def process(operators: Operators) -> None:
    choices = operators.choices
    processor = choices.one(*PROCESSORS)
    word = processor.split(":")[0]
    stream = operators.stream("in")
    store = "rows" if word in ("dedup", "running_count", "emit_every", "ttl") else None
    if store:  # which has no null keys
        stream = Handle(operators.declare("filter_not", of=stream.id, pred="key_null"), "stream")
    keeps_key = word in ("running_count", "stream_time") or (word in ("dedup", "stamp") and choices.chance(0.5))
    op = "process_values" if keeps_key else "process"
    stream = Handle(operators.declare(op, of=stream.id, processor=processor, store=store), "stream")
    operators.to(operators.on_stream(stream, "filter") if choices.chance(0.4) else stream)


FAMILIES: dict[str, Callable[[Operators], None]] = {
    family.__name__: family
    for family in (
        *(stateless, window, emit_final, cogroup, table, table_aggregate, versioned, suppress, process),
        *(join_stream_stream, join_stream_table, join_table_table, join_foreign_key, join_global),
    )
}
"""Each declares a whole topology."""
