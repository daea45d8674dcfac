"""Declares operators with random parameters, and keeps in mind what of: not every operator goes with every other."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

from tests.streams_cases.case import Op
from tests.streams_cases.choices import Choices

FOREVER_MS = 1_000_000
"""Retention of stores that forget nothing within a case. Final windows need it: docs/differs.md says what happens to
them in the original where its store forgets before they come out."""


@dataclass(frozen=True)
class Handle:
    """What an op has made."""

    id: str
    kind: Literal["stream", "table", "grouped stream", "grouped table", "cogroup"]
    windows: Literal["time", "sliding", "session"] | None = None
    """Of a table's keys, or of the aggregation to come."""
    final: bool = False
    """Whether each window comes out once."""
    versioned: bool = False
    suppressed: bool = False


class Operators:
    def __init__(self, choices: Choices, *, cached: bool = False) -> None:
        self.choices = choices
        self.cached = cached
        self.ops: list[Op] = []
        self.topics: list[str] = []
        self._stores = 0
        self._sinks = 0

    def declare(self, op: str, **parameters: Any) -> str:
        """The new op's id. A parameter of None is left out, but for an initial value, which may be null."""
        made = {name: value for name, value in parameters.items() if value is not None or name == "init"}
        identity = f"n{len(self.ops) + 1}"
        self.ops.append({"op": op, "id": identity, **made})
        return identity

    def store(self, chance: float = 0.5) -> str | None:
        """A new store's name, or None where the operator decides itself whether it keeps anything."""
        if not self.choices.chance(chance):
            return None
        self._stores += 1
        return f"s{self._stores}"

    def to(self, handle: Handle) -> None:
        stream = self.to_stream(handle) if handle.kind == "table" else handle
        self._sinks += 1
        self.ops.append({"op": "to", "of": stream.id, "topic": f"out{self._sinks}"})

    # -- sources ------------------------------------------------------------------------------------------------------
    def _topic(self, topic: str) -> str:
        if topic not in self.topics:
            self.topics.append(topic)
        return topic

    def stream(self, topic: str) -> Handle:
        return Handle(self.declare("stream", topic=self._topic(topic)), "stream")

    def table(self, topic: str, *, versioned: float = 0.0) -> Handle:
        """`versioned` is the chance that it keeps a history."""
        if self.choices.chance(versioned):
            history = self.choices.one(0, 3, 5, 20, 1000)
            made = self.declare("table", topic=self._topic(topic), store=self.store(1), versioned=history)
            return Handle(made, "table", versioned=True)
        return Handle(self.declare("table", topic=self._topic(topic), store=self.store()), "table")

    def global_table(self, topic: str) -> str:
        return self.declare("global_table", topic=self._topic(topic), store=self.store())

    # -- stateless ----------------------------------------------------------------------------------------------------
    def on_stream(self, stream: Handle, op: str) -> Handle:
        choices = self.choices
        parameters: dict[str, Any] = {}
        if op in ("filter", "filter_not"):
            parameters["pred"] = choices.predicate()
        if op in ("map", "select_key", "flat_map"):
            parameters["key_fn"] = choices.key_function()
        if op in ("map", "map_values"):
            parameters["fn"] = choices.value_function()
        if op in ("flat_map", "flat_map_values"):
            parameters["fn"] = choices.flat_function()
        return Handle(self.declare(op, of=stream.id, **parameters), "stream")

    def merge(self, one: Handle, other: Handle) -> Handle:
        left, right = (one, other) if self.choices.chance(0.5) else (other, one)
        return Handle(self.declare("merge", left=left.id, right=right.id), "stream")

    def split(self, stream: Handle, default: str | None) -> list[Handle]:
        """Its branches, of which every one is there."""
        branches = [{"name": name, "pred": self.choices.predicate()} for name in ("x", "y")]
        made = self.declare("split", of=stream.id, branches=branches, default=default)
        names = ["x", "y"] if default is None else ["x", "y", default]
        return [Handle(f"{made}.{name}", "stream") for name in names]

    def on_table(self, table: Handle) -> Handle:
        """Filtered, or with other values."""
        op, store = self.choices.one("filter", "filter_not", "map_values"), self.store(0.3)
        function = {"fn": self.choices.value_function()} if op == "map_values" else {"pred": self.choices.predicate()}
        made = self.declare(op, of=table.id, store=store, **function)
        return replace(table, id=made, versioned=table.versioned and store is None)

    def to_stream(self, table: Handle, *, plain: bool = False) -> Handle:
        """`plain` where what comes next cannot have windowed keys."""
        keys = (None, None, "key_text", "window_key" if table.windows else "value_text")
        if plain:
            keys = ("window_key", "key_text") if table.windows else (None,)
        return Handle(self.declare("to_stream", of=table.id, key_fn=self.choices.one(*keys)), "stream")

    def to_table(self, stream: Handle) -> Handle:
        return Handle(self.declare("to_table", of=stream.id, store=self.store()), "table")

    def suppress(self, table: Handle, *, until: str, **parameters: Any) -> Handle:
        made = self.declare("suppress", of=table.id, until=until, **parameters)
        return replace(table, id=made, suppressed=True, final=table.final or until == "window_closes")

    # -- groups -------------------------------------------------------------------------------------------------------
    def group(self, handle: Handle, name: str | None = None) -> Handle:
        choices = self.choices
        if handle.kind == "stream":
            if choices.chance(0.6):
                return Handle(self.declare("group_by_key", of=handle.id, name=name), "grouped stream")
            made = self.declare("group_by", of=handle.id, key_fn=choices.key_function(), name=name)
            return Handle(made, "grouped stream")
        key = choices.one("key_mod:2", "const:all", "value_text", "null_if_odd", "identity", "prefix:1")
        value = choices.one(None, None, "plus:1", "null_if_odd", "times:2")
        return Handle(self.declare("group_by", of=handle.id, key_fn=key, fn=value), "grouped table")

    def cogroup(self, streams: list[Handle]) -> Handle:
        """Mostly the groups have names: two without are refused by the original where both need a topic."""
        named = self.choices.chance(0.8)
        groups = [self.group(stream, f"by{len(self.ops)}" if named else None) for stream in streams]
        inputs = [{"of": group.id, "adder": self.choices.adder()} for group in groups]
        return Handle(self.declare("cogroup", inputs=inputs), "cogroup")

    def windowed(self, group: Handle, *, final: float = 0.25) -> Handle:
        """`final` is the chance of final results only, which cogroups do not have."""
        choices = self.choices
        kind = choices.one("time", "time", "hopping", "sliding", "session")
        close = group.kind != "cogroup" and choices.chance(final)
        parameters: dict[str, Any] = {"grace": choices.grace(), "emit": "close" if close else None}
        if kind == "sliding":
            made = self.declare("window", of=group.id, type=kind, difference=choices.length(), **parameters)
            return replace(group, id=made, windows="sliding", final=close)
        if kind == "session":
            made = self.declare("window", of=group.id, type=kind, gap=choices.length(), **parameters)
            return replace(group, id=made, windows="session", final=close)
        size = choices.length() + 1
        advance = choices.number(1, size) if kind == "hopping" else None
        made = self.declare("window", of=group.id, type="time", size=size, advance=advance, **parameters)
        return replace(group, id=made, windows="time", final=close)

    def aggregate(self, group: Handle, *, forgetful: float = 0.0) -> Handle:
        """`forgetful` is the chance that a windowed store has the retention it has by default. Where it is cached it
        has not: the original finds windows in its cache that the store has forgotten (docs/differs.md)."""
        choices = self.choices
        kept: dict[str, Any] = {"of": group.id, "store": self.store(0.7)}
        if group.windows and (group.final or self.cached or not choices.chance(forgetful)):
            kept["retention"] = FOREVER_MS
        made = replace(group, kind="table")
        session = group.windows == "session"
        if group.kind == "cogroup":
            init, merger = (choices.one(0, ""), "merge") if session else (choices.one(0, "", None), None)
            return replace(made, id=self.declare("aggregate", init=init, merger=merger, **kept))
        op = choices.one("count", "reduce", "aggregate", "aggregate")
        functions: dict[str, Any] = {}
        if op != "count":
            functions["adder"] = choices.adder()
            if group.kind == "grouped table":
                functions["adder"], functions["subtractor"] = choices.one(
                    ("sum", "subtract"),
                    ("concat", "remove"),
                    ("sum_or_null", "subtract_or_null"),
                    ("count", "uncount"),
                    ("max", "first"),
                )
        if op == "aggregate":
            functions["init"] = choices.one(0, "", 3, None)
            functions["merger"] = choices.one("sum", "merge", "sum_or_null", "max") if session else None
        return replace(made, id=self.declare(op, **functions, **kept))

    # -- joins --------------------------------------------------------------------------------------------------------
    def join_tables(self, left: Handle, right: Handle) -> Handle:
        op = self.choices.one("join", "left_join", "outer_join")
        joiner, store = self.choices.joiner(), self.store(0.35)
        return Handle(self.declare(op, left=left.id, right=right.id, joiner=joiner, store=store), "table")

    def join_foreign_key(self, left: Handle, right: Handle) -> Handle:
        op = self.choices.one("fk_join", "fk_left_join")
        parameters = {"fk": self.choices.foreign_key(), "joiner": self.choices.joiner(), "store": self.store(0.4)}
        return Handle(self.declare(op, left=left.id, right=right.id, **parameters), "table")

    def join_table(self, stream: Handle, table: Handle) -> Handle:
        op = self.choices.one("join", "left_join")
        grace = self.choices.one(0, 1, 2, 5, 20) if table.versioned and self.choices.chance(0.5) else None
        joiner = self.choices.joiner()
        return Handle(self.declare(op, left=stream.id, right=table.id, joiner=joiner, grace=grace), "stream")

    def join_global(self, stream: Handle, table: str) -> Handle:
        op = self.choices.one("join", "left_join")
        key = self.choices.one("identity", "key_text", "prefix:1", "key_mod:3", "value_text", "null_if_odd")
        joiner = self.choices.one("key_pair", self.choices.joiner())
        return Handle(self.declare(op, left=stream.id, right=table, key_fn=key, joiner=joiner), "stream")

    def join_streams(self, left: Handle, right: Handle) -> Handle:
        """Inner ones. In left and outer joins the original takes shortcuts (tag `join-shortcuts`) that are not to be
        told from a mistake here; recorded cases and the tests of joins have these."""
        choices = self.choices
        bounds: dict[str, int] = choices.one(
            {"difference": choices.one(0, 1, 3, 5, 10)},
            {"before": choices.one(0, 2, 5), "after": choices.one(0, 3, 7)},
            {"before": -2, "after": 5},
            {"before": 6, "after": -3},
        )
        joiner, grace = choices.joiner(), choices.grace()
        made = self.declare("join", left=left.id, right=right.id, joiner=joiner, grace=grace, **bounds)
        return Handle(made, "stream")
