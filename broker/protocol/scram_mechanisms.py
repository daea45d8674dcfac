"""SCRAM mechanisms as numbers on the wire.

Source: `ScramMechanism` of Kafka's admin client.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

CODES: Final[Mapping[str, int]] = MappingProxyType({"SCRAM-SHA-256": 1, "SCRAM-SHA-512": 2})
"""Code by name."""
NAMES: Final[Mapping[int, str]] = MappingProxyType({code: name for name, code in CODES.items()})
"""Name by code."""
