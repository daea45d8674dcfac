"""Random pipelines: operators of all kinds one after the other, with pipelines as the other sides of their joins."""

from __future__ import annotations

from tests.streams_cases.operators import Handle, Operators

ON_STREAMS = (
    *("filter", "filter_not", "map_values", "map", "select_key", "flat_map", "flat_map_values", "repartition", "peek"),
    *("merge", "split", "process", "to_table", "join_streams", "join_streams", "join_table", "join_table"),
    *("join_global", "cogroup", "aggregate", "aggregate", "aggregate", "windows", "windows", "windows"),
)
ON_TABLES = (
    *("values", "values", "values", "to_stream", "to_stream", "regroup", "regroup"),
    *("join_tables", "join_tables", "join_tables", "join_foreign_key", "suppress", "suppress"),
)
"""Names that come more often are drawn more often."""


class Pipelines:
    """Declares pipelines. Tables with windowed keys and suppressed ones are not grouped again, nor are sliding and
    session windows filtered as tables: old values of their changes are others in the original (docs/differs.md)."""

    def __init__(self, operators: Operators) -> None:
        self.operators = operators
        self.choices = operators.choices
        self.versioned = self.choices.one(0.2, 0.2, 0.7)
        self._streams: list[str] = []

    def declare(self) -> None:
        """A pipeline to a sink, some of its stages to sinks of their own."""
        depth = self.choices.number(2, 7)
        handle = self._source("stream", "table")
        for stage in range(depth):
            handle = self._step(handle, depth - stage - 1)
            if self.choices.chance(0.1):
                self.operators.to(handle)
        self.operators.to(handle)

    def _source(self, *kinds: str) -> Handle:
        topic = f"in{len(self.operators.topics)}"
        if self.choices.one(*kinds) == "table":
            return self.operators.table(topic, versioned=self.versioned)
        if self._streams and self.choices.chance(0.2):
            return self.operators.stream(self.choices.one(*self._streams))
        self._streams.append(topic)
        return self.operators.stream(topic)

    def _pipeline(self, depth: int, *kinds: str) -> Handle:
        handle = self._source(*kinds)
        for _ in range(self.choices.number(0, max(0, depth))):
            handle = self._step(handle, depth // 2)
        return handle

    def _step(self, handle: Handle, depth: int) -> Handle:
        return self._on_stream(handle, depth) if handle.kind == "stream" else self._on_table(handle, depth)

    def _on_stream(self, stream: Handle, depth: int) -> Handle:
        operators, choices = self.operators, self.choices
        match choices.one(*ON_STREAMS):
            case "aggregate":
                return operators.aggregate(operators.group(stream))
            case "windows":
                return operators.aggregate(operators.windowed(operators.group(stream)))
            case "cogroup":
                group = operators.cogroup([stream, self._other_stream(stream, depth, 0.2)])
                return operators.aggregate(operators.windowed(group) if choices.chance(0.6) else group)
            case "to_table":
                return operators.to_table(stream)
            case "merge":
                return operators.merge(stream, self._other_stream(stream, depth, 0.4))
            case "split":
                *branches, rest = operators.split(stream, "rest")
                operators.to(choices.one(*branches))
                return choices.one(*branches, rest)
            case "join_streams":
                return operators.join_streams(stream, self._other_stream(stream, depth, 0.15))
            case "join_table":
                return operators.join_table(stream, self._other_table(depth))
            case "join_global":
                return operators.join_global(stream, operators.global_table(f"in{len(operators.topics)}"))
            case "process":
                op, processor = choices.one(
                    ("process", "fan"),
                    ("process", "stamp:3"),
                    ("process", "rekey:key_mod:2"),
                    ("process_values", "stamp:3"),
                )
                return Handle(operators.declare(op, of=stream.id, processor=processor), "stream")
            case stateless:
                return operators.on_stream(stream, stateless)

    def _on_table(self, table: Handle, depth: int) -> Handle:
        operators, choices = self.operators, self.choices
        op = choices.one(*ON_TABLES)
        if table.windows and op in ("regroup", "join_tables", "join_foreign_key"):
            op = "to_stream"
        if table.suppressed or (table.windows in ("sliding", "session") and op == "values"):
            op = "to_stream"
        match op:
            case "values":
                return operators.on_table(table)
            case "regroup":
                return operators.aggregate(operators.group(table))
            case "join_tables":
                other = table if choices.chance(0.15) else self._other_table(depth)
                left, right = (table, other) if choices.chance(0.5) else (other, table)
                return operators.join_tables(left, right)
            case "join_foreign_key":
                return operators.join_foreign_key(table, self._other_table(depth))
            case "suppress" if not table.versioned and not table.final:
                return self._suppressed(table)
            case _:
                return operators.to_stream(table, plain=True)

    def _suppressed(self, table: Handle) -> Handle:
        if table.windows and self.choices.chance(0.7):
            return self.operators.suppress(table, until="window_closes")
        full = self.choices.one(None, "emit_early")
        limit, most = self.choices.one(1, 3, 10), 2 if full else None
        return self.operators.suppress(table, until="time_limit", limit=limit, full=full, max_records=most)

    def _other_stream(self, stream: Handle, depth: int, same: float) -> Handle:
        """With a chance of `same` the very stream."""
        if self.choices.chance(same):
            return stream
        other = self._pipeline(depth - 1, "stream", "table")
        return other if other.kind == "stream" else self.operators.to_stream(other, plain=True)

    def _other_table(self, depth: int) -> Handle:
        """With plain keys, and not suppressed."""
        other = self._pipeline(depth - 1, "stream", "table", "table")
        if other.kind == "table" and not other.windows and not other.suppressed:
            return other
        stream = other if other.kind == "stream" else self.operators.to_stream(other, plain=True)
        if self.choices.chance(0.5):
            return self.operators.to_table(stream)
        return self.operators.aggregate(self.operators.group(stream))
