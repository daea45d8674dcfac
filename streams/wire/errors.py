"""What can go wrong between this process and a Kafka-compatible server.

WireError
├── ConnectionFailedError     nobody answered at the address, or the connection broke          retriable
├── AnswerTimeoutError        connected, but the answer did not come in time                   retriable
├── UnsupportedVersionError   server and client share no version of an API
├── AuthenticationError       TLS or SASL refused us
└── RefusedError              an answer came and carries an error code                         as the code says
"""

from __future__ import annotations

from kio.schema.errors import ErrorCode

from streams.errors import StreamsError
from streams.wire.address import Address


class WireError(StreamsError):
    """Talking to the server failed."""


class ConnectionFailedError(WireError):
    """Nobody answered at `address`, or the connection broke."""

    retriable = True

    def __init__(self, address: Address, what: str) -> None:
        super().__init__(f"{address}: {what}; check that a broker runs there (bootstrap_servers)")
        self.address = address


class AnswerTimeoutError(WireError):
    """The server at `address` took longer than `timeout_s` seconds to answer a request of `api`."""

    retriable = True

    def __init__(self, address: Address, *, api: str, timeout_s: float) -> None:
        super().__init__(f"{address}: no answer to {api} within {timeout_s:.1f} s")
        self.address = address
        self.api = api


class UnsupportedVersionError(WireError):
    """The server at `address` and this client share no version of `api`."""

    def __init__(self, address: Address, *, api: str, ours: tuple[int, int], theirs: tuple[int, int] | None) -> None:
        offered = "does not offer it" if theirs is None else f"offers {theirs[0]} to {theirs[1]}"
        super().__init__(
            f"{address}: {api} is needed in versions {ours[0]} to {ours[1]}, the server {offered}; "
            "use a server that speaks Apache Kafka 2.5 or later"
        )
        self.address = address
        self.api = api


class AuthenticationError(WireError):
    """The server refused our certificate or password, or we theirs."""


class RefusedError(WireError):
    """The answer to a request of `api` carries the error `code`."""

    def __init__(self, code: ErrorCode, *, api: str, detail: str | None = None) -> None:
        super().__init__(f"{api}: {code_name(code)}{f' ({detail})' if detail else ''}")
        self.code = code
        self.api = api
        self.retriable = code.retriable


def code_name(code: ErrorCode) -> str:
    """The code as Kafka's documentation writes it, e.g. `REBALANCE_IN_PROGRESS`."""
    return code.name.upper()
