"""Names of the generated module: user functions, decoders and constants that source text cannot hold."""

from __future__ import annotations

import builtins
import keyword
import re
from typing import Any

RESERVED = frozenset(
    [
        "binding",
        "stores",
        "watermarks",
        "counters",
        "produce",
        "produce_full",
        "least_time",
        "may_skip",
        "messages",
        "start",
        "end",
        "limit",
        "index",
        "m",
        "raw",
        "kb",
        "ts",
        "top",
        "error",
        "key",
        "value",
        "headers",
        "known",
        "old",
        "flush",
        "clocks",
        "restore_clocks",
        "refresh_watermarks",
        "advance_stores",
        "watermark_advanced",
        "watermark_moved",
        "task_clock_moved",
        "holding",
        "held",
        "now",
        "processors",
        "in_flight",
        "settle",
        "then",
        "at_read",
        "mark",
        "expire_rows",
        "expire_below",
        "punctuate",
        "no_record",
        "SourceRun",
        "TaskProgram",
        "record_failure",
        "drop",
        "dropping",
        "build",
        "partitions",
        "place",
        "sketch_bucket",
        "sketch_add",
        "sketch_merge",
        "sketch_quantile",
        *keyword.kwlist,
        *dir(builtins),
    ]
)
"""Names the templates use themselves; what `fresh` gives out never meets them."""


class Namespace:
    """Global names of one generated module. The same object asked for twice has one name."""

    def __init__(self) -> None:
        self.names: dict[str, Any] = {}
        self._known: dict[int, str] = {}
        self._taken = set(RESERVED)
        self._counters: dict[str, int] = {}

    def fresh(self, hint: str) -> str:
        """A name nobody has yet: `hint`, else `hint_2`, `hint_3`, …"""
        name = hint
        while name in self._taken:
            count = self._counters[hint] = self._counters.get(hint, 1) + 1
            name = f"{hint}_{count}"
        self._taken.add(name)
        return name

    def provide(self, name: str, value: Any) -> None:
        """Makes `value` known by a reserved name. Raises ValueError for a name that somebody else could have."""
        if name not in RESERVED:
            raise ValueError(f"{name!r} is not reserved for templates")
        self.names[name] = value

    def bind(self, value: Any, hint: str = "constant") -> str:
        """The name under which the generated code finds `value`."""
        known = self._known.get(id(value))
        if known is not None:
            return known
        name = self.fresh(re.sub(r"\W", "_", hint).strip("_") or "constant")
        self.names[name] = value  # also keeps the object alive, so that its id stays its own
        self._known[id(value)] = name
        return name
