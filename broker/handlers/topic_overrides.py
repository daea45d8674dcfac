"""Changing the configs of a topic: what both AlterConfigs APIs share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kio.schema.errors import ErrorCode

from broker.handlers.config_entries import BROKER, TOPIC
from broker.server.context import RequestContext
from broker.topics.errors import TopicError


def check_resource(line: Any) -> None:
    """Raises TopicError for anything but a topic."""
    if line.resource_type == BROKER:
        raise TopicError(
            ErrorCode.invalid_request, "This broker's settings are given when it starts; they cannot be changed now."
        )
    if line.resource_type != TOPIC:
        raise TopicError(ErrorCode.invalid_request, f"Configs of resource type {line.resource_type} are not kept here.")


def replace_overrides(ctx: RequestContext, topic: str, overrides: Mapping[str, str], *, validate_only: bool) -> None:
    """Replaces a topic's overrides whole, or only checks them; raises TopicError."""
    if validate_only:
        ctx.broker.topics.require(topic)
        ctx.broker.topics.parse(overrides)
    else:
        ctx.broker.set_configs(topic, overrides)


def altered(line: Any, refusal: TopicError | None) -> dict[str, Any]:
    """The answer for one resource."""
    return {
        "error_code": ErrorCode.none if refusal is None else refusal.code,
        "error_message": None if refusal is None else refusal.message,
        "resource_type": line.resource_type,
        "resource_name": line.resource_name,
    }
