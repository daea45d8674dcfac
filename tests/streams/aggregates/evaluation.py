"""Runs the templates of a named aggregate outside of generated code."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from streams.aggregates import Aggregate
from streams.serde import Json, Unknown


class Evaluation:
    """An aggregate's own templates as functions on a list of states."""

    def __init__(self, aggregate: Aggregate, input_type: Any = Unknown) -> None:
        self.aggregate = aggregate
        states = [f"s{index}" for index in range(aggregate.state_fields)]
        later = [f"t{index}" for index in range(aggregate.state_fields)]
        unpack, unpack_later = ", ".join(states) + ", = states", ", ".join(later) + ", = later"
        pack = f"return [{', '.join(states)}]"
        named = aggregate.functions
        self.initial = function(named, "", [f"return [{', '.join(aggregate.initial_source())}]"])
        self.update = function(named, "states, v", [unpack, *aggregate.update_source(states, "v"), pack])
        self.update_inline = function(named, "states, v", [unpack, *aggregate.update_source(states, "v[0]"), pack])
        self.merge = function(
            named, "states, later", [unpack, unpack_later, *aggregate.merge_source(states, later), pack]
        )
        self.result = function(named, "states", [unpack, f"return {aggregate.result_source(states)}"])
        lines = aggregate.subtract_source(states, "v")
        self.subtract = None if lines is None else function(named, "states, v", [unpack, *lines, pack])
        types = aggregate.state_types(input_type)
        assert len(types) == aggregate.state_fields
        self.serde = Json(tuple[types])

    def through_json(self, states: Sequence[Any]) -> list[Any]:
        back = list(self.serde.deserialize(self.serde.serialize(states)))
        assert repr(back) == repr(list(states))  # ints stay ints, floats stay floats
        return back

    def states_of(self, values: Sequence[Any]) -> list[Any]:
        states = self.through_json(self.initial())
        for value in values:
            before = repr(states)
            after = self.update(states, value)
            assert repr(states) == before  # nothing was changed in place
            assert repr(self.update_inline(states, [value])) == repr(after)
            states = self.through_json(after)
        return states

    def of(self, values: Sequence[Any]) -> Any:
        return self.result(self.states_of(values))


def function(named: Mapping[str, Any], parameters: str, lines: Sequence[str]) -> Callable[..., Any]:
    namespace: dict[str, Any] = dict(named)
    exec(f"def run({parameters}):\n" + "\n".join(f"    {line}" for line in lines), namespace)
    return namespace["run"]
