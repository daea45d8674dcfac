"""Where clients connect, and by which protocol."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

from broker.security.sasl import Sasl
from broker.security.tls import Tls

SecurityProtocol = Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]
PROTOCOLS: tuple[SecurityProtocol, ...] = get_args(SecurityProtocol)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """One address to listen on."""

    name: str = ""
    """As in Kafka's `listeners`; empty: the protocol."""
    host: str = "127.0.0.1"
    """Address to listen on."""
    port: int = 0
    """0: any free one."""
    protocol: SecurityProtocol = "PLAINTEXT"
    """How clients speak: with TLS, with SASL, with both, with neither."""
    advertised_host: str | None = None
    """What clients of this listener are told to connect to; None: `host`, or 127.0.0.1 where that is a wildcard."""
    advertised_port: int | None = None
    """None: the port listened on."""
    tls: Tls | None = None
    """Of SSL and SASL_SSL; None: the broker's `tls`."""
    sasl: Sasl | None = None
    """Of SASL_PLAINTEXT and SASL_SSL; None: the broker's `sasl`."""

    @property
    def title(self) -> str:
        return self.name or self.protocol

    @property
    def has_tls(self) -> bool:
        return self.protocol in ("SSL", "SASL_SSL")

    @property
    def has_sasl(self) -> bool:
        return self.protocol in ("SASL_PLAINTEXT", "SASL_SSL")


class Endpoint(NamedTuple):
    """A listener as its clients see it."""

    listener: str
    protocol: SecurityProtocol
    host: str
    port: int

    @property
    def address(self) -> str:
        """ "host:port" for clients."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"
