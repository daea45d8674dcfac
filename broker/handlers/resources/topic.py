"""The configs of a topic."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from kio.schema.errors import ErrorCode

from broker.handlers.config_entries import topic_entries
from broker.handlers.resources.resource import Change, changed
from broker.topics.definitions import DEFINITIONS
from broker.topics.errors import TopicError
from broker.topics.names import problem_with_name

if TYPE_CHECKING:
    from broker.server.context import RequestContext


class Configs:
    def __init__(self, ctx: RequestContext, name: str) -> None:
        problem = problem_with_name(name)
        if problem is not None:
            raise TopicError(ErrorCode.invalid_topic_exception, problem)
        topic = ctx.broker.topics.get(name)
        if topic is None:
            raise TopicError(ErrorCode.unknown_topic_or_partition, f"The topic '{name}' does not exist.")
        self.broker = ctx.broker
        self.topic = topic

    def entries(self) -> list[dict[str, Any]]:
        return topic_entries(self.topic, self.broker.configs)

    def incremental(self, changes: list[Change], *, validate_only: bool) -> None:
        self.replace(changed(self.topic.configs, changes, DEFINITIONS.get), validate_only=validate_only)

    def replace(self, configs: Mapping[str, str], *, validate_only: bool) -> None:
        self.broker.set_configs(self.topic.name, configs, validate_only=validate_only)
