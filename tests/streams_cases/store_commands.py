"""Random commands on a store of each kind, for the processor `store_script`."""

from __future__ import annotations

from typing import Any

from tests.streams_cases.choices import KEYS, Choices

KINDS = (
    "kv",
    "window:40:10",
    "window:40:10:duplicates",
    "window:100000:10",
    "session:40",
    "session:100000",
    "versioned:0",
    "versioned:20",
    "versioned:1000",
)
"""With little retention, and with so much that nothing expires."""


class StoreCommands:
    def __init__(self, choices: Choices, kind: str) -> None:
        self.choices = choices
        self.kind = kind.split(":")[0]
        self.now = 0

    def inputs(self, topic: str, count: int) -> list[dict[str, Any]]:
        steps: list[dict[str, Any]] = []
        for number in range(count):
            self.now += self.choices.one(0, 1, 3, 5, 10) if self.choices.chance(0.95) else 60
            value = f"v{number}" if self.choices.chance(0.85) else "null"
            steps.append({"topic": topic, "key": self._key(), "value": self._command(value), "ts": number})
        return steps

    def _key(self) -> str:
        return self.choices.one(*KEYS)

    def _end(self) -> str:
        """Of a range of keys: open at times."""
        return self.choices.one("-", self._key(), self._key(), self._key())

    def _time(self) -> int:
        return max(0, self.now - self.choices.one(0, 0, 1, 3, 10, 20, 50))

    def _range(self) -> str:
        """Of times, at times one that ends before it starts."""
        earliest, latest = sorted((self._time(), self._time()))
        return f"{latest} {earliest}" if self.choices.chance(0.05) else f"{earliest} {latest}"

    def _command(self, value: str) -> str:
        key = self._key()
        match self.kind:
            case "kv":
                return self._key_value(key, value)
            case "window":
                return self._window(key, value)
            case "session":
                return self._session(key, value)
            case _:
                return self._versioned(key, value)

    def _key_value(self, key: str, value: str) -> str:
        keys = f"{self._end()} {self._end()}"
        writes = (f"put {key} {value}", f"put_if_absent {key} {value}", f"delete {key}")
        scans = (f"range {keys}", f"rrange {keys}", "all", "rall", f"prefix {key}")
        return self.choices.one(*[writes[0]] * 4, *writes[1:], f"get {key}", *scans)

    def _window(self, key: str, value: str) -> str:
        times = self._range()
        scans = (f"fetch {key} {times}", f"rfetch {key} {times}", f"fetch_all {times}", "all", "rall")
        keys = f"fetch_keys {self._end()} {self._end()} {times}"
        return self.choices.one(*[f"put {key} {value} {self._time()}"] * 5, f"get {key} {self._time()}", keys, *scans)

    def _session(self, key: str, value: str) -> str:
        start, end = sorted((self._time(), self._time()))
        times, keys = self._range(), f"{self._end()} {self._end()}"
        finds = (f"find {key} {times}", f"rfind {key} {times}", f"find_keys {keys} {times}")
        fetches = (f"get {key} {start} {end}", f"fetch {key}", f"fetch_keys {keys}")
        put = f"put {key} {start} {end} {value}"
        return self.choices.one(*[put] * 5, f"remove {key} {start} {end}", *finds, *fetches)

    def _versioned(self, key: str, value: str) -> str:
        put, past = f"put {key} {value} {self._time()}", f"as_of {key} {self._time()}"
        return self.choices.one(*[put] * 5, f"delete {key} {self._time()}", f"get {key}", past, past)
