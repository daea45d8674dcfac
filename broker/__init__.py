"""A Kafka-protocol broker of one node.

Names are imported when they are first used: a broker process needs few of them, and its start is waited for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from broker.broker import Broker as Broker
    from broker.errors import AddressInUseError as AddressInUseError
    from broker.errors import BrokerError as BrokerError
    from broker.errors import DataDirectoryError as DataDirectoryError
    from broker.errors import DataDirectoryLockedError as DataDirectoryLockedError
    from broker.options import BrokerOptions as BrokerOptions
    from broker.security.sasl import OAuth as OAuth
    from broker.security.sasl import Sasl as Sasl
    from broker.security.tls import Tls as Tls
    from broker.server.listener import Listener as Listener
    from broker.serving import serve as serve

HOMES = {
    "AddressInUseError": "broker.errors",
    "Broker": "broker.broker",
    "BrokerError": "broker.errors",
    "BrokerOptions": "broker.options",
    "DataDirectoryError": "broker.errors",
    "DataDirectoryLockedError": "broker.errors",
    "Listener": "broker.server.listener",
    "OAuth": "broker.security.sasl",
    "Sasl": "broker.security.sasl",
    "Tls": "broker.security.tls",
    "serve": "broker.serving",
}

__all__ = (
    "AddressInUseError",
    "Broker",
    "BrokerError",
    "BrokerOptions",
    "DataDirectoryError",
    "DataDirectoryLockedError",
    "Listener",
    "OAuth",
    "Sasl",
    "Tls",
    "serve",
)


def __getattr__(name: str) -> Any:
    home = HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'broker' has no attribute {name!r}")
    return getattr(import_module(home), name)


def __dir__() -> list[str]:
    return sorted(__all__)
