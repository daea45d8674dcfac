"""Whether an internal topic that is there already keeps what the application needs of it.

Source: `InternalTopicManager.validate` of Kafka Streams, which looks at the same settings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from typing import Any, cast

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient, ConfigResource, ResourceType  # pyright: ignore[reportPrivateImportUsage]

from streams.errors import StreamsError
from streams.plan.plan import InternalTopic

ANSWER_WAIT_S = 10.0


def check_configs(admin: AdminClient, topics: Iterable[InternalTopic], more: Mapping[str, str]) -> None:
    """`more`: configs that the user has for internal topics, and that count before the plan's.

    Raises:
        StreamsError: a topic would lose rows or records; with the command that mends it. A broker that does not say
            how its topics are set is believed.
    """
    wanted = {topic.name: {**topic.configs, **more} for topic in topics}
    asked = [ConfigResource(ResourceType.TOPIC, name) for name in wanted]
    if not asked:
        return
    describe = cast(Callable[..., dict[Any, Future[Any]]], admin.describe_configs)  # pyright: ignore[reportUnknownMemberType]
    for resource, answer in describe(asked, request_timeout=ANSWER_WAIT_S).items():
        try:
            found = {name: str(entry.value) for name, entry in answer.result().items()}
        except KafkaException:
            continue
        faults = config_faults(wanted[resource.name], found)
        if faults:
            told = ", ".join(f"{name}={found.get(name)}" for name in faults)
            cure = " ".join(f"{name}={value}" for name, value in faults.items())
            raise StreamsError(
                f"internal topic {resource.name!r} is set to {told}, with which the application would lose rows or "
                f"records: headrace configs set topic {resource.name} {cure}"
            )


def max_message_bytes(admin: AdminClient, topic: str) -> int | None:
    """The most bytes that a topic takes as a batch; None if the broker does not say."""
    asked = [ConfigResource(ResourceType.TOPIC, topic)]
    describe = cast(Callable[..., dict[Any, Future[Any]]], admin.describe_configs)  # pyright: ignore[reportUnknownMemberType]
    try:
        [answer] = describe(asked, request_timeout=ANSWER_WAIT_S).values()
        return int(answer.result()["max.message.bytes"].value)
    except (KafkaException, KeyError, ValueError):
        return None


def config_faults(wanted: Mapping[str, str], found: Mapping[str, str]) -> dict[str, str]:
    """The settings that have to be other than they are, with what they should be."""
    faults: dict[str, str] = {}
    policy = wanted.get("cleanup.policy")
    if policy is not None and policies(policy) != policies(found.get("cleanup.policy", policy)):
        faults["cleanup.policy"] = policy
    if wanted.get("retention.ms") == "-1" and found.get("retention.ms", "-1") != "-1":
        faults["retention.ms"] = "-1"
    lag = wanted.get("min.compaction.lag.ms")
    if lag is not None and int(found.get("min.compaction.lag.ms", lag)) < int(lag):
        faults["min.compaction.lag.ms"] = lag
    return faults


def policies(text: str) -> frozenset[str]:
    return frozenset(each.strip() for each in text.split(","))
