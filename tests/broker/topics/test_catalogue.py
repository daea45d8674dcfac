"""The topics and their files."""

from __future__ import annotations

from pathlib import Path

import pytest
from kio.schema.errors import ErrorCode

from broker.errors import DataDirectoryError
from broker.topics.catalogue import TopicCatalogue
from broker.topics.errors import TopicError
from broker.topics.topic import Topic


def open_catalogue(path: Path) -> TopicCatalogue:
    catalogue = TopicCatalogue(path / "topics", defaults={}, durable=False)
    assert catalogue.load() == []
    return catalogue


def create(catalogue: TopicCatalogue, name: str, partitions: int = 1, **configs: str) -> Topic:
    settings = {key.replace("_", "."): value for key, value in configs.items()}
    return catalogue.create(name, partitions, settings, internal=False, validate_only=False)


def test_topics_are_there_after_a_restart(tmp_path: Path) -> None:
    catalogue = open_catalogue(tmp_path)
    create(catalogue, "b", 3, retention_ms="5")
    create(catalogue, "a.json")
    create(catalogue, "x" * 249)
    catalogue.add_partitions("b", 5, validate_only=False)
    catalogue.set_configs("b", {"retention.ms": "7"}, validate_only=False)
    again = open_catalogue(tmp_path)
    assert list(again) == list(catalogue)
    assert [topic.name for topic in again] == ["a.json", "b", "x" * 249]
    topic = again.get("b")
    assert topic is not None
    assert (topic.partitions, topic.configs, topic.config.retention_ms) == (5, {"retention.ms": "7"}, 7)
    assert again.by_id(topic.id) is topic


def test_validate_only_changes_nothing(tmp_path: Path) -> None:
    catalogue = open_catalogue(tmp_path)
    create(catalogue, "a")
    catalogue.create("b", 1, {}, internal=False, validate_only=True)
    catalogue.add_partitions("a", 9, validate_only=True)
    catalogue.set_configs("a", {"retention.ms": "7"}, validate_only=True)
    assert [(topic.name, topic.partitions, topic.configs) for topic in catalogue] == [("a", 1, {})]
    assert list(open_catalogue(tmp_path)) == list(catalogue)


@pytest.mark.parametrize("name", ["", ".", "..", "a b", "ü", "a/b", "x" * 250, "a\n"])
def test_invalid_name_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(TopicError) as refused:
        create(open_catalogue(tmp_path), name)
    assert refused.value.code is ErrorCode.invalid_topic_exception


def test_names_that_differ_in_dots_and_underscores_only_collide(tmp_path: Path) -> None:
    catalogue = open_catalogue(tmp_path)
    create(catalogue, "a.b")
    with pytest.raises(TopicError, match=r"collides with existing topic: a\.b"):
        create(catalogue, "a_b")
    catalogue.mark_deleted("a.b")
    create(catalogue, "a_b")


def test_unfinished_deletion_is_reported_at_the_next_start(tmp_path: Path) -> None:
    catalogue = open_catalogue(tmp_path)
    create(catalogue, "a")
    catalogue.mark_deleted("a")
    again = TopicCatalogue(tmp_path / "topics", defaults={}, durable=False)
    assert again.load() == ["a"]
    assert again.get("a") is None
    again.forget("a")
    assert open_catalogue(tmp_path).get("a") is None


def test_damaged_file_is_named(tmp_path: Path) -> None:
    create(open_catalogue(tmp_path), "a")
    (tmp_path / "topics" / "a.json").write_text("{")
    with pytest.raises(DataDirectoryError, match=r"topics/a\.json does not describe a topic"):
        open_catalogue(tmp_path)
