"""Where the log is: which broker an application or a command talks to when nobody has said so.

In this order, the first that applies:

1. what the caller gives (`App(bootstrap_servers=…)`, `--bootstrap-servers`);
2. the environment variable `HEADRACE_BOOTSTRAP_SERVERS`;
3. `bootstrap_servers` in the settings file (`headrace.toml`, see `streams.settings_file`);
4. the nearest `.headrace/broker.json`, looked for in the working directory and then in each directory above it, if
   the broker it names answers. `headrace dev` and `headrace broker` write that file while they run;
5. `127.0.0.1:9092`.

The file may outlive its broker (`kill -9`), so its address counts only if a TCP connection to it succeeds; a stale
file is passed over, never removed here.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from streams.settings_file import find_settings_file

HOME_DIRECTORY = ".headrace"
"""The directory beside a project where its broker, state and announcements live."""

BROKER_FILE = "broker.json"
ENVIRONMENT_VARIABLE = "HEADRACE_BOOTSTRAP_SERVERS"
DEFAULT_BOOTSTRAP_SERVERS = "127.0.0.1:9092"
CONNECT_TIMEOUT_S = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerAnnouncement:
    """What a running broker says of itself in `broker.json`."""

    bootstrap_servers: str
    security_protocol: str = "PLAINTEXT"
    """Of the listener there. Names and passwords are not told: they come with the client's own settings."""
    sasl_mechanism: str | None = None
    """Of the listener there, the one that clients do best to take; None: it has no SASL."""
    pid: int
    data_dir: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerLocation:
    """An address and how it was found; `describe()` is for messages to people."""

    bootstrap_servers: str
    origin: Literal["argument", "environment", "file", "announcement", "default", "bundled"]
    file: Path | None = None
    security_protocol: str | None = None
    """What the broker there asks of its clients, where it has said so: "PLAINTEXT", "SSL", "SASL_PLAINTEXT" or
    "SASL_SSL". None: the client's settings know."""
    sasl_mechanism: str | None = None
    """What it is best asked with, where the client's settings do not say."""

    @classmethod
    def bundled(
        cls, bootstrap_servers: str, security_protocol: str = "PLAINTEXT", sasl_mechanism: str | None = None
    ) -> BrokerLocation:
        """A broker that this command, or the one above it, has started."""
        return cls(
            bootstrap_servers=bootstrap_servers,
            origin="bundled",
            security_protocol=security_protocol,
            sasl_mechanism=sasl_mechanism,
        )

    def client_properties(self, properties: Mapping[str, Any]) -> dict[str, Any]:
        """What of a client's properties holds for a client of this log: none of security where the broker has said that
        it has none, so that settings for a cluster can stay; else with the protocol it has named."""
        from streams.client_properties import with_protocol

        return with_protocol(properties, self.security_protocol, self.sasl_mechanism)

    def describe(self) -> str:
        match self.origin:
            case "argument":
                return "as given"
            case "environment":
                return f"from {ENVIRONMENT_VARIABLE}"
            case "announcement" | "file":
                return f"from {self.file}"
            case "bundled":
                return "the bundled broker, started here"
            case "default":
                return (
                    f"the default: no address was given, {ENVIRONMENT_VARIABLE} is not set, and no running "
                    f"`headrace dev` or `headrace broker` was found through {HOME_DIRECTORY}/{BROKER_FILE}"
                )


def answers_tcp(bootstrap_servers: str) -> bool:
    """Whether any of the comma-separated `host:port` addresses accepts a connection."""
    return any(_connects(address.strip()) for address in bootstrap_servers.split(",") if address.strip())


def _connects(address: str) -> bool:
    host, _, port = address.rpartition(":")
    if not port.isdecimal():
        return False
    try:
        with socket.create_connection((host.strip("[]"), int(port)), timeout=CONNECT_TIMEOUT_S):
            return True
    except (OSError, OverflowError):
        return False


def locate_broker(
    explicit: str | None = None,
    *,
    environ: Mapping[str, str] | None = None,
    start: Path | None = None,
    alive: Callable[[str], bool] = answers_tcp,
) -> BrokerLocation:
    """Finds the broker in the order above.

    Args:
        explicit: the caller's own choice; empty counts as none.
        environ: the environment, `os.environ` if not given.
        start: the directory where the search for files begins, the working directory if not given.
        alive: whether a broker answers at an announced address.

    Raises:
        ConfigError: the settings file cannot be read.
    """
    if explicit:
        return BrokerLocation(bootstrap_servers=explicit, origin="argument")
    variables = os.environ if environ is None else environ
    from_environment = variables.get(ENVIRONMENT_VARIABLE)
    if from_environment:
        return BrokerLocation(bootstrap_servers=from_environment, origin="environment")
    first = (Path.cwd() if start is None else start).resolve()
    file = find_settings_file(variables, first)
    if file is not None and file.values.get("bootstrap_servers"):
        return BrokerLocation(bootstrap_servers=str(file.values["bootstrap_servers"]), origin="file", file=file.path)
    for directory in (first, *first.parents):
        announced = announced_broker(directory / HOME_DIRECTORY, alive=alive)
        if announced is not None:
            return announced
    return BrokerLocation(bootstrap_servers=DEFAULT_BOOTSTRAP_SERVERS, origin="default")


def announced_broker(home: Path, *, alive: Callable[[str], bool] = answers_tcp) -> BrokerLocation | None:
    """The broker that announces itself in `home`, if there is one and it answers."""
    import msgspec  # not needed where a broker is started

    file = home / BROKER_FILE
    try:
        announcement = msgspec.json.decode(file.read_bytes(), type=BrokerAnnouncement)
    except (OSError, msgspec.DecodeError):
        return None  # none there, or half written by a process that died: not an announcement
    if not alive(announcement.bootstrap_servers):
        return None
    return BrokerLocation(
        bootstrap_servers=announcement.bootstrap_servers,
        origin="announcement",
        file=file,
        security_protocol=announcement.security_protocol,
        sasl_mechanism=announcement.sasl_mechanism,
    )
