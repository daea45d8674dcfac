"""The configs of a topic, broker, group, logger or metrics subscription: what `headrace configs` reads and changes."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from streams.cli.clients import require_broker, wire_client
from streams.cli.failures import CommandFailed, UsageFailed
from streams.cluster.clients import REQUEST_TIMEOUT_S

if TYPE_CHECKING:
    from streams.discovery import BrokerLocation
    from streams.wire.connection import Connection
    from streams.wire.requests.describe_configs import DescribedConfig
    from streams.wire.requests.incremental_alter_configs import ConfigChange

KINDS = {"topic": 2, "broker": 4, "logger": 8, "client-metrics": 16, "group": 32}
"""With Kafka's codes."""
ALL_BROKERS = "all"
"""What stands for the settings of all brokers; a broker has a number."""


class ConfigResource:
    """One resource at a log. Every method raises CommandFailed with the broker's words if it refuses."""

    def __init__(self, location: BrokerLocation, kind: str, name: str) -> None:
        require_broker(location)
        self.location = location
        self.kind = kind
        self.shown = f"{kind} {name}"
        self.name = "" if kind == "broker" and name == ALL_BROKERS else name

    def describe(self) -> tuple[DescribedConfig, ...]:
        """All configs, in order of name."""
        from streams.wire.requests.describe_configs import DescribeConfigs

        connection = self.connect()
        try:
            answer = connection.call(
                DescribeConfigs(kind=KINDS[self.kind], name=self.name), timeout_s=REQUEST_TIMEOUT_S
            )
        finally:
            connection.close()
        self.check(answer.error, answer.message)
        return answer.configs

    def alter(self, changes: Sequence[ConfigChange], *, validate_only: bool) -> None:
        """All of the changes or none."""
        from streams.wire.requests.incremental_alter_configs import IncrementalAlterConfigs

        request = IncrementalAlterConfigs(
            kind=KINDS[self.kind], name=self.name, changes=changes, validate_only=validate_only
        )
        connection = self.connect()
        try:
            answer = connection.call(request, timeout_s=REQUEST_TIMEOUT_S)
        finally:
            connection.close()
        self.check(answer.error, answer.message, names=[change.name for change in changes])

    def connect(self) -> Connection:
        """To the broker whose configs or loggers they are, else to any."""
        client = wire_client(self.location)
        if self.kind not in ("broker", "logger") or not self.name:
            return client.connect_any()
        from streams.cli.clients import admin_at
        from streams.wire.address import Address

        nodes = admin_at(self.location).nodes()
        if not self.name.isdecimal() or int(self.name) not in nodes:
            known = ", ".join(str(node) for node in nodes)
            raise UsageFailed(
                f"there is no broker {self.name!r}; there is {known}, and {ALL_BROKERS!r} for all brokers"
            )
        host, port = nodes[int(self.name)]
        return client.connect(Address(host, port))

    def check(self, error: int, message: str | None, names: Iterable[str] = ()) -> None:
        if not error:
            return
        from kio.schema.errors import ErrorCode

        text = message or ErrorCode(error).name.upper()
        near = self.meant(names)
        raise CommandFailed(f"{self.shown}: {text.rstrip('.')}" + (f"; did you mean {near!r}?" if near else ""))

    def meant(self, names: Iterable[str]) -> str | None:
        """A config that there is, for the first name that there is not."""
        known = [config.name for config in self.describe()] if names else []
        for name in names:
            if known and name not in known:
                return next(iter(difflib.get_close_matches(name, known, n=1)), None)
        return None
