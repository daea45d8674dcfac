"""One fault: which requests it strikes, what it does to them, and how often."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

from kio.schema.errors import ErrorCode

from broker.errors import BrokerError
from broker.protocol.api_keys import ApiKey, api_name

Action = Literal["delay", "error", "drop", "close"]
ACTIONS: Final = get_args(Action)


class FaultError(BrokerError):
    """A fault is described in a way that makes none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Strikes requests of one API; of those, only what the further fields name."""

    api: str
    """Kafka's name of it, such as "EndTxn"; "*": every API."""
    action: Action
    """"delay": the request waits for `delay_ms`, as do those behind it on its connection. "error": it is answered with
    `error`. "drop": it is carried out and never answered, nor is what comes behind it on its connection, because
    answers go out in order. "close": its connection is closed."""
    delay_ms: int = 0
    """Before anything else is done; of each action."""
    error: str | None = None
    """Kafka's name of the error, such as "NOT_COORDINATOR"."""
    after: bool = False
    """Whether the request is carried out first, so that its effects are there: delay then delays the answer. A request
    that meets "error" or "close" is not carried out otherwise."""
    times: int | None = None
    """How many requests it strikes; None: all until it is removed."""
    probability: float = 1.0
    """Of each request that fits, drawn from `seed`: equal requests in equal order meet the same."""
    seed: int = 0
    topic: str | None = None
    """Only requests that name the topic, by name or id."""
    group: str | None = None
    """Only requests of the group."""
    client_id: str | None = None

    def __post_init__(self) -> None:
        """Raises FaultError."""
        if self.action not in ACTIONS:
            raise FaultError(f"there is no fault {self.action!r}{meant(self.action, ACTIONS)}")
        if self.api != "*":
            object.__setattr__(self, "api", api_name(api_key(self.api)))
        if (self.error is None) == (self.action == "error"):
            raise FaultError("a fault has an error code exactly if its action is 'error'")
        if self.error is not None:
            object.__setattr__(self, "error", error_code(self.error).name.upper())
        if self.delay_ms < 0 or (self.action == "delay" and self.delay_ms == 0):
            raise FaultError(f"a delay of {self.delay_ms} ms is none; give delay_ms=500, for example")
        if self.times is not None and self.times < 1:
            raise FaultError(f"times is {self.times}; give 1 or more, or leave it out for a fault until it is removed")
        if not 0 < self.probability <= 1:
            raise FaultError(f"probability is {self.probability}; give more than 0 and at most 1")

    @property
    def key(self) -> ApiKey | None:
        """None: every API."""
        return None if self.api == "*" else api_key(self.api)

    @property
    def code(self) -> ErrorCode:
        """Of action "error"."""
        assert self.error is not None
        return error_code(self.error)

    @classmethod
    def parse(cls, text: str) -> Fault:
        """From `API:ACTION[,NAME=VALUE…]`, as `headrace broker --fault` takes it.

            EndTxn:delay=500,times=3
            Heartbeat:error=NOT_COORDINATOR,group=orders
            Fetch:close,probability=0.01,seed=7
            Produce:drop,topic=orders

        Raises FaultError.
        """
        api, colon, rest = text.partition(":")
        action, *pairs = [part.strip() for part in rest.split(",")]
        name, _, value = action.partition("=")
        if not colon or name not in ACTIONS:
            raise FaultError(f"fault {text!r}: expected API:ACTION, such as EndTxn:delay=500 or Heartbeat:error=CODE")
        values: dict[str, Any] = {"api": api.strip(), "action": name}
        if value:
            pairs.insert(0, f"{'delay_ms' if name == 'delay' else name}={value}")
        for pair in pairs:
            option, equals, written = pair.partition("=")
            if option not in OPTIONS or not (equals or option == "after"):
                raise FaultError(f"fault {text!r}: there is no {pair!r}{meant(option, OPTIONS)}")
            try:
                values[option] = OPTIONS[option](written)
            except ValueError:
                raise FaultError(f"fault {text!r}: {written!r} is no value of {option}") from None
        try:
            return cls(**values)
        except FaultError as error:
            raise FaultError(f"fault {text!r}: {error}") from None


def flag(text: str) -> bool:
    if text not in ("", "true", "false"):
        raise ValueError(text)
    return text != "false"


OPTIONS: Final[dict[str, Callable[[str], Any]]] = {
    "delay_ms": int,
    "error": str,
    "after": flag,
    "times": int,
    "probability": float,
    "seed": int,
    "topic": str,
    "group": str,
    "client_id": str,
}


def api_key(name: str) -> ApiKey:
    """By Kafka's name, in whatever case. Raises FaultError."""
    wanted = name.replace("_", "").lower()
    for key in ApiKey:
        if key.name.replace("_", "").lower() == wanted:
            return key
    raise FaultError(f"there is no API {name!r}{meant(name, [api_name(key) for key in ApiKey])}")


def error_code(name: str) -> ErrorCode:
    """By Kafka's name. Raises FaultError."""
    try:
        return ErrorCode[name.lower()]
    except KeyError:
        raise FaultError(
            f"there is no error {name!r}{meant(name, [code.name.upper() for code in ErrorCode])}"
        ) from None


def meant(name: str, names: Iterable[str]) -> str:
    known = {each.lower(): each for each in names}
    near = difflib.get_close_matches(name.lower(), known, n=1)
    return f"; did you mean {known[near[0]]!r}?" if near else ""
