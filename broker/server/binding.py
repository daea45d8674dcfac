"""Sockets to listen on."""

from __future__ import annotations

import errno
import socket

from broker.errors import AddressInUseError, BrokerError


def bind(host: str, port: int, option: str = "--port") -> socket.socket:
    """Binds the address. `option` is what gives another port. Raises AddressInUseError, BrokerError."""
    try:
        found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        # "localhost" is often ::1 first, where some clients do not look.
        family, kind, protocol, _, address = min(found, key=lambda one: one[0] != socket.AF_INET)
        listening = socket.socket(family, kind, protocol)
    except OSError as error:
        raise BrokerError(f"cannot listen on {host}:{port}: {error.strerror}; check --host") from error
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.setblocking(False)
    except OSError as error:
        listening.close()
        if error.errno == errno.EADDRINUSE:
            raise AddressInUseError(
                f"{host}:{port} is in use by another program; choose another port ({option}), or 0 for any free one"
            ) from error
        raise BrokerError(f"cannot listen on {host}:{port}: {error.strerror}; check --host and {option}") from error
    return listening
