"""Where a server listens."""

from __future__ import annotations

from msgspec import Struct

from streams.errors import ConfigError

DEFAULT_PORT = 9092


class Address(Struct, frozen=True, order=True):
    """Host name or IP address (IPv6 without brackets) and TCP port."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_addresses(bootstrap_servers: str) -> tuple[Address, ...]:
    """The addresses in `host:port[,host:port]`, in order.

    Also taken: a listener's name before an address (`PLAINTEXT://host:port`), IPv6 in brackets, and no port for 9092.

    Raises:
        ConfigError: nothing is listed, or a port is not a number from 1 to 65535.
    """
    addresses = tuple(parse_address(part.strip()) for part in bootstrap_servers.split(",") if part.strip())
    if not addresses:
        raise ConfigError(
            "bootstrap_servers lists no address: give at least one host:port", setting="bootstrap_servers"
        )
    return addresses


def parse_address(text: str) -> Address:
    plain = text.rpartition("://")[2]
    if plain.startswith("["):
        host, _, rest = plain[1:].partition("]")
        port = rest.removeprefix(":")
    elif plain.count(":") > 1:
        host, port = plain, ""  # a bare IPv6 address
    else:
        host, _, port = plain.partition(":")
    if not port:
        return Address(host, DEFAULT_PORT)
    if not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise ConfigError(
            f"bootstrap_servers: {text!r} has no valid port: write host:port", setting="bootstrap_servers"
        )
    return Address(host, int(port))
