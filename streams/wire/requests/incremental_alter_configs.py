"""IncrementalAlterConfigs (key 44): changes configs of one resource, all or none. Source: KIP-339."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import Any, ClassVar, NamedTuple

from kio.schema.errors import ErrorCode
from msgspec import Struct

from streams.wire.request import Api
from streams.wire.schema import Fields


class Operation(IntEnum):
    SET = 0
    DELETE = 1
    APPEND = 2
    SUBTRACT = 3


class ConfigChange(NamedTuple):
    """`value` is None for DELETE only."""

    name: str
    operation: Operation
    value: str | None


class AlteredConfigs(Struct, frozen=True, kw_only=True):
    error: ErrorCode
    message: str | None


class IncrementalAlterConfigs(Struct, frozen=True, kw_only=True):
    """`kind`: code of the resource's type."""

    kind: int
    name: str
    changes: Sequence[ConfigChange]
    validate_only: bool = False

    api: ClassVar[Api] = Api("IncrementalAlterConfigs", 44, 0, 1)

    def fields(self) -> Fields:
        configs = tuple(
            {"name": change.name, "config_operation": int(change.operation), "value": change.value}
            for change in self.changes
        )
        resource = {"resource_type": self.kind, "resource_name": self.name, "configs": configs}
        return {"resources": (resource,), "validate_only": self.validate_only}

    def answer(self, response: Any) -> AlteredConfigs:
        (result,) = response.responses
        return AlteredConfigs(error=result.error_code, message=result.error_message)
