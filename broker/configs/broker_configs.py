"""The broker's own configs while it runs: which value counts, and what happens when one is changed.

The defaults of topics reach every log at once; for other names whoever owns what they change says so with `on_change`.

Source: `DynamicBrokerConfig` of Apache Kafka, and its errors: INVALID_REQUEST for what is wrong with a config.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from kio.schema.errors import ErrorCode

from broker.configs.dynamic import CLUSTER, DynamicConfigs, Scope
from broker.log.directory import LogDirectory
from broker.topics.catalogue import TopicCatalogue
from broker.topics.config import TopicConfig
from broker.topics.definitions import InvalidConfigError
from broker.topics.errors import TopicError


class BrokerConfigs:
    """Owned by the broker state. `given`: defaults of topics that the broker was started with, by the topics' names."""

    def __init__(
        self,
        dynamic: DynamicConfigs,
        *,
        node_id: int,
        given: Mapping[str, str],
        topics: TopicCatalogue,
        logs: LogDirectory,
    ) -> None:
        self.dynamic = dynamic
        self.node = str(node_id)
        self.given = given
        self.topics = topics
        self.logs = logs
        self.effects: dict[str, Callable[[str | None], None]] = {}

    def load(self) -> None:
        """Before the topics are loaded. Raises DataDirectoryError, OSError."""
        self.dynamic.load()
        self.topics.defaults = self.topic_defaults(self.cluster_wide, self.of_node)

    @property
    def cluster_wide(self) -> Mapping[str, str]:
        """What was set for all brokers."""
        return self.dynamic.of(Scope.BROKER, CLUSTER)

    @property
    def of_node(self) -> Mapping[str, str]:
        """What was set for this broker."""
        return self.dynamic.of(Scope.BROKER, self.node)

    def value(self, name: str) -> str | None:
        """The value that was set, or None where the one given at the start counts."""
        return self.of_node.get(name, self.cluster_wide.get(name))

    def on_change(self, name: str, effect: Callable[[str | None], None]) -> None:
        """Calls `effect` with `value(name)`, now and whenever it has changed."""
        self.effects[name] = effect
        effect(self.value(name))

    def replace(self, name: str, configs: Mapping[str, str], *, validate_only: bool) -> None:
        """Sets all dynamic configs of this node or of the cluster, or none. Raises TopicError, OSError."""
        check(configs, self.dynamic.of(Scope.BROKER, name))
        if name == CLUSTER:
            defaults = self.topic_defaults(configs, self.of_node)
        else:
            defaults = self.topic_defaults(self.cluster_wide, configs)
        try:
            TopicConfig.parse({}, defaults)
        except InvalidConfigError as error:
            raise TopicError(ErrorCode.invalid_request, str(error)) from error
        self.topics.with_defaults(defaults)
        if validate_only:
            return
        self.dynamic.replace(Scope.BROKER, name, configs)
        if defaults != self.topics.defaults:
            for topic in self.topics.set_defaults(defaults):
                self.logs.configure(topic)
        for changed, effect in self.effects.items():
            effect(self.value(changed))

    def topic_defaults(self, cluster_wide: Mapping[str, str], of_node: Mapping[str, str]) -> dict[str, str]:
        """Defaults of topics by the topics' names: those of the start, over them the cluster's, then the node's."""
        defaults = dict(self.given)
        if not cluster_wide and not of_node:
            return defaults
        from broker.configs.definitions import TOPIC_DEFAULTS  # the table is not needed at the start of most brokers

        for name, value in (*cluster_wide.items(), *of_node.items()):
            if name in TOPIC_DEFAULTS:
                defaults[TOPIC_DEFAULTS[name].name] = value
        return defaults


def check(configs: Mapping[str, str], before: Mapping[str, str]) -> None:
    """Raises TopicError for a name that is unknown or cannot change, or a bad value. What was set before may stay."""
    from broker.configs.definitions import DYNAMIC, definition_of

    fixed = [name for name in configs if definition_of(name) is not None and name not in DYNAMIC]
    if fixed:
        raise TopicError(ErrorCode.invalid_request, f"Cannot update these configs dynamically: [{', '.join(fixed)}]")
    for name, value in configs.items():
        definition = definition_of(name)
        if definition is None:
            if name in before:
                continue  # of an older broker
            raise TopicError(ErrorCode.invalid_config, f"Unknown broker config name: {name}")
        try:
            definition.check(value)
        except InvalidConfigError as error:
            message = str(error).replace(f"configuration {definition.name}:", f"configuration {name}:")
            raise TopicError(ErrorCode.invalid_request, message) from error
