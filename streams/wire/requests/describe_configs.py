"""DescribeConfigs (key 32): the configs of one resource, and where their values come from. Source: KIP-226, KIP-569."""

from __future__ import annotations

from typing import Any, ClassVar

from kio.schema.errors import ErrorCode
from msgspec import Struct

from streams.wire.request import Api
from streams.wire.schema import Fields

SOURCES = {
    1: "topic",
    2: "broker",
    3: "all brokers",
    4: "start",
    5: "default",
    6: "logger",
    7: "client metrics",
    8: "group",
}
"""Kafka's codes: `start` is what the broker was started with."""


class DescribedConfig(Struct, frozen=True, kw_only=True):
    """`value` is None where it is unset, and where it is secret."""

    name: str
    value: str | None
    source: str
    read_only: bool
    secret: bool
    documentation: str | None


class DescribedConfigs(Struct, frozen=True, kw_only=True):
    error: ErrorCode
    message: str | None
    configs: tuple[DescribedConfig, ...]


class DescribeConfigs(Struct, frozen=True, kw_only=True):
    """`kind`: code of the resource's type."""

    kind: int
    name: str

    api: ClassVar[Api] = Api("DescribeConfigs", 32, 1, 4)

    def fields(self) -> Fields:
        resource = {"resource_type": self.kind, "resource_name": self.name, "configuration_keys": None}
        return {"resources": (resource,), "include_synonyms": False, "include_documentation": True}

    def answer(self, response: Any) -> DescribedConfigs:
        (result,) = response.results
        return DescribedConfigs(
            error=result.error_code,
            message=result.error_message,
            configs=tuple(
                DescribedConfig(
                    name=each.name,
                    value=each.value,
                    source=SOURCES.get(each.config_source, "unknown"),
                    read_only=each.read_only,
                    secret=each.is_sensitive,
                    documentation=getattr(each, "documentation", None),
                )
                for each in sorted(result.configs, key=lambda one: one.name)
            ),
        )
