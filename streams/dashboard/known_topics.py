"""What the application knows of topics: what they are for, and how their keys and values are written."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from streams.operators.repartition import Repartition
from streams.operators.sink import Sink
from streams.operators.source import Source
from streams.plan.plan import PartitionPlan
from streams.query.catalog import Catalog, Entry
from streams.query.subject import Subject
from streams.runtime.task_metadata import metadata_topic_name
from streams.serde import Serde

TopicRole = Literal["source", "sink", "repartition", "changelog", "metadata", "dead letters"]
INTERNAL: frozenset[TopicRole] = frozenset({"repartition", "changelog", "metadata"})


class KnownTopic(Struct, frozen=True, kw_only=True, eq=False):
    """A topic of the application. `entry`: the store of a changelog. Serdes are None where its records have no types of
    the user's."""

    role: TopicRole
    key: Serde | None = None
    value: Serde | None = None
    entry: Entry | None = None

    @property
    def internal(self) -> bool:
        return self.role in INTERNAL


def known_topics(
    plan: PartitionPlan | None, dead_letter_topic: str | None, application_id: str
) -> dict[str, KnownTopic]:
    """Of an application whose topics are not looked up yet (`plan` None), only that of its dead letters.

    Whoever reads a topic says best what is on it: a source goes before the sink that writes it.
    """
    found: dict[str, KnownTopic] = {metadata_topic_name(application_id): KnownTopic(role="metadata")}
    if plan is not None:
        for sub in plan.plan.subtopologies:
            for node in sub.nodes:
                schema = node.schema
                match node:
                    case Source(topics=topics):
                        known = KnownTopic(role="source", key=schema.key_serde(), value=schema.value_serde())
                        found |= dict.fromkeys(topics, known)
                    case Repartition(topic=topic):
                        known = KnownTopic(role="repartition", key=schema.key_serde(), value=schema.value_serde())
                        found[topic] = known
                    case Sink(topic=str() as topic):
                        known = KnownTopic(role="sink", key=schema.key_serde(), value=schema.value_serde())
                        found.setdefault(topic, known)
                    case _:
                        pass
        for table in plan.plan.global_tables:
            found[table.topic] = KnownTopic(
                role="source", key=table.schema.key_serde(), value=table.schema.value_serde()
            )
        for entry in Catalog(plan).entries.values():
            if entry.plan.changelog is not None:
                found[entry.plan.changelog] = KnownTopic(role="changelog", entry=entry)
    if dead_letter_topic is not None:
        found[dead_letter_topic] = KnownTopic(role="dead letters")
    return found


def topics_of(subject: Subject) -> dict[str, KnownTopic]:
    """Those of the worker's application."""
    return known_topics(subject.partitions, subject.options.dead_letter_topic, subject.application_id)
