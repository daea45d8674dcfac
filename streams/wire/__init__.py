"""A small blocking Kafka client for the control plane: groups and offsets. Records go through librdkafka."""

import streams.wire.lone_kio  # noqa: F401  # pyright: ignore[reportUnusedImport]  # before others import kio
from streams.wire.address import Address, parse_addresses
from streams.wire.client import Client
from streams.wire.connection import Connection
from streams.wire.errors import (
    AnswerTimeoutError,
    AuthenticationError,
    ConnectionFailedError,
    RefusedError,
    UnsupportedVersionError,
    WireError,
)
from streams.wire.request import Api, Request
from streams.wire.security import Sasl, Security, Tls

__all__ = [
    "Address",
    "AnswerTimeoutError",
    "Api",
    "AuthenticationError",
    "Client",
    "Connection",
    "ConnectionFailedError",
    "RefusedError",
    "Request",
    "Sasl",
    "Security",
    "Tls",
    "UnsupportedVersionError",
    "WireError",
    "parse_addresses",
]
