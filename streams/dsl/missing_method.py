"""What is said of a method that a handle does not have: which handle has it, and how to get there.

Type checkers see none of it, so they go on telling such calls as mistakes.
"""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING, NoReturn

from streams.dsl.steps import STEPS, methods, step, way, written

OTHER_NAMES = {
    # Kafka Streams; other names of its Java methods become ours by writing them in snake case
    "through": "repartition(…)",
    "transform": "process(…)",
    "flat_transform": "process(…)",
    "transform_values": "process_values(…)",
    "flat_transform_values": "process_values(…)",
    "count_by_key": "count()",
    # Faust
    "combine": "merge(…)",
    "echo": "to(…)",
    "hopping": "windowed_by(hopping(…))",
    "send": "to(…)",
    "take": "map_batch(…)",
    "tumbling": "windowed_by(tumbling(…))",
    "agent": "stream(…)",
    "topic": "stream(…)",
    # Quix Streams
    "apply": "map_values(…)",
    "concat": "merge(…)",
    "dataframe": "stream(…)",
    "drop": "map_values(…)",
    "expand": "flat_map_values(…)",
    "fill": "map_values(…)",
    "hopping_window": "windowed_by(hopping(…))",
    "join_asof": "join(…)",
    "join_interval": "join(…)",
    "session_window": "windowed_by(session(…))",
    "sink": "to(…)",
    "sliding_window": "windowed_by(sliding(…))",
    "to_topic": "to(…)",
    "tumbling_window": "windowed_by(tumbling(…))",
    "update": "peek(…)",
    # what the rest of the world says
    "collect": "aggregate(all=collect(…))",
    "distinct": "deduplicate(…)",
    "fold": "aggregate(…)",
    "for_each": "foreach(…)",
    "key_by": "group_by(…)",
    "select": "map_values(…)",
    "union": "merge(…)",
    "where": "filter(…)",
    "window": "windowed_by(…)",
    # named aggregates
    "avg": "aggregate(mean=mean(F.…))",
    "max": "aggregate(greatest=max_(F.…))",
    "mean": "aggregate(mean=mean(F.…))",
    "min": "aggregate(least=min_(F.…))",
    "sum": "aggregate(total=sum_(F.…))",
}
"""What others call a method, in snake case, and what is written here."""


class TellsMissingMethods:
    """A handle whose missing methods say what to call instead."""

    __slots__ = ()

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> NoReturn:
            kind = type(self).__name__
            advice = "" if name.startswith("_") else missing_method(kind, name)
            raise AttributeError(f"{kind!r} object has no attribute {name!r}{advice}")

        def __getitem__(self, item: object) -> NoReturn:
            field = f"F.{item}" if isinstance(item, str) else "F.x"
            raise TypeError(
                f"a {type(self).__name__} is a description and holds no records to take {item!r} from: expressions on "
                f"F read fields, as in filter({field} > 0) or map_values({field})"
            )

        def __aiter__(self) -> NoReturn:
            raise TypeError(
                f"a {type(self).__name__} is a description and holds no records to go through: foreach(…) is called "
                "with those of a stream, map_async(…) with an async function"
            )


def missing_method(kind: str, name: str) -> str:
    """`: group it first: …`, or what else helps; empty if nothing is known."""
    ours = re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name).lower()
    call = OTHER_NAMES.get(ours)
    if call is None:
        known = {method for handle in STEPS for method in methods(handle)}
        call = f"{ours}(…)" if ours in known else _near(kind, ours)
    if call is None:
        return ""
    method = call.partition("(")[0]
    calls = way(kind, lambda handle: method in methods(handle))
    if calls is None:
        return f": a {kind} is only looked up in, stream.join(it, joiner, on=…); app.table(…) has more"
    if not calls:
        return f": write .{call}"
    handle = calls[-1][1]
    if step(handle, method) == kind:  # a stream's to_stream
        return f": it is a {kind} already"
    return f": a {handle} has it, write {written(calls)}.{call}{_before(kind, method)}"


def _near(kind: str, name: str) -> str | None:
    near = difflib.get_close_matches(name, methods(kind), n=1, cutoff=0.75)
    return f"{near[0]}(…)" if near else None


def _before(kind: str, method: str) -> str:
    """What cannot be done any more on the way to an aggregation can be done before it."""
    if kind in ("App", "KStream", "KTable"):
        return ""
    parent, called = ("KTable", "table") if kind == "GroupedTable" else ("KStream", "stream")
    return f", or call it on the {called} before" if method in methods(parent) else ""
