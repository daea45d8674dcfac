"""Changing the configs of a topic or group: what both AlterConfigs APIs share."""

from __future__ import annotations

from typing import Any

from kio.schema.errors import ErrorCode

from broker.handlers.config_entries import BROKER, GROUP, TOPIC
from broker.topics.errors import TopicError


def check_resource(line: Any) -> None:
    """Raises TopicError for anything but a topic or a group."""
    if line.resource_type == BROKER:
        raise TopicError(
            ErrorCode.invalid_request, "This broker's settings are given when it starts; they cannot be changed now."
        )
    if line.resource_type not in (TOPIC, GROUP):
        raise TopicError(ErrorCode.invalid_request, f"Configs of resource type {line.resource_type} are not kept here.")


def altered(line: Any, refusal: TopicError | None) -> dict[str, Any]:
    """The answer for one resource."""
    return {
        "error_code": ErrorCode.none if refusal is None else refusal.code,
        "error_message": None if refusal is None else refusal.message,
        "resource_type": line.resource_type,
        "resource_name": line.resource_name,
    }
