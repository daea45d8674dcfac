"""Answers as plain trees that can be compared: what differs from run to run by nature gets a label.

Ids become `producer 1`, `member 2` in order of appearance, so that it still shows where two are the same; clock times
become `now`; texts for people become `text`.
"""

from __future__ import annotations

import json
import time
from dataclasses import fields, is_dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any
from uuid import UUID

from kio.schema.errors import ErrorCode

from broker.protocol.batches import HEADER_SIZE, checksum, read_header, walk

Tree = Any
"""dict, list, str, int, float, bool or None, as JSON has them."""

ID_FIELDS = {
    "topic_id": "topic",
    "producer_id": "producer",
    "member_id": "member",
    "leader": "member",
    "session_id": "session",
    "directory_id": "directory",
}
"""Fields whose values are made up by the broker, and what to call them; -1, 0, null and "" stay."""
UNNAMED = (-1, 0, None, "", str(UUID(int=0)))
CHOSEN = "00000000-0000-", "member-"
"""How ids begin that scripts choose, and the broker does not make up."""
TEXTS = ("error_message", "batch_index_error_message")
ORDER = (
    "name", "topic", "topic_name", "group_id", "group", "transactional_id", "partition_index", "partition", "index",
    "partition_id", "resource_type", "resource_name", "key", "api_key", "broker_id", "node_id", "group_instance_id",
    "metadata", "member_metadata", "producer_id", "producer_epoch", "entity_type", "entity_name", "entity", "user",
)  # fmt: skip
"""Lists of structures are put in order of these fields: the order in which they are told means nothing."""
NAMES = ("name", "api_key", "group_id", "transactional_id")
"""What the items of a list are known by, where they have such a field."""


def describe(value: Any) -> Tree:
    """An entity of kio as a tree."""
    if isinstance(value, ErrorCode):
        return value.name
    if isinstance(value, Enum):
        return value.name
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: describe_field(field.name, getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, tuple | list):
        items = [describe(item) for item in value]
        if items and isinstance(items[0], dict):
            return sorted(items, key=place)
        return sorted(items) if items and isinstance(items[0], int) else items
    if isinstance(value, timedelta):
        return value // timedelta(milliseconds=1)
    if isinstance(value, datetime):
        return int(value.timestamp() * 1000)
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).hex()
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, bool) or value is None or isinstance(value, float):
        return value
    return int(value) if isinstance(value, int) else str(value)


def describe_field(name: str, value: Any) -> Tree:
    if name == "records" and value is not None:
        return batches(bytes(value))
    return describe(value)


def place(item: Tree) -> list[str]:
    """What an item of a list is sorted by."""
    member = str(item.get("member_id", ""))
    values = [*(item.get(name) for name in ORDER), member if member.startswith(CHOSEN) else ""]
    return [f"{value:020}" if isinstance(value, int) else json.dumps(value) for value in values]


def batches(data: bytes) -> Tree:
    """The record batches of a fetch: header fields, and the records as bytes."""
    found: list[Tree] = []
    end = 0
    for position, size in walk(data):
        batch = data[position : position + size]
        header = read_header(batch)
        assert header.crc == checksum(batch), "a batch with a wrong checksum was served"
        tree = {name: value for name, value in header._asdict().items() if name != "crc"}
        found.append({**tree, "payload": batch[HEADER_SIZE:].hex()})
        end = position + size
    return {"batches": found, "cut": end < len(data)}


def codes(value: Any) -> set[ErrorCode]:
    """All error codes that an answer has, at any depth."""
    if isinstance(value, ErrorCode):
        return {value}
    found: set[ErrorCode] = set()
    if is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            found |= codes(getattr(value, field.name))
    elif isinstance(value, tuple | list):
        for item in value:
            found |= codes(item)
    return found


class Labels:
    """Replaces what a broker makes up by labels, the same for the same value within a session."""

    def __init__(self, bootstrap_servers: str) -> None:
        host, port = bootstrap_servers.rsplit(":", 1)
        self.host, self.port = host, int(port)
        self.known: dict[tuple[str, Any], str] = {}
        self.count: dict[str, int] = {}
        self.started = time.time()

    def name(self, identity: UUID, label: str) -> None:
        """Gives a topic's id a label of its own."""
        self.known["topic", str(identity)] = label

    def apply(self, tree: Tree, field: str = "") -> Tree:
        if isinstance(tree, dict):
            self.learn(tree)
            return {key: self.apply(value, key) for key, value in tree.items()}
        if isinstance(tree, list):
            return [self.apply(item, field) for item in tree]
        if field in ID_FIELDS and tree not in UNNAMED and not str(tree).startswith(CHOSEN):
            return self.label(ID_FIELDS[field], tree)
        if field in TEXTS and tree is not None:
            return "text"
        if field == "cluster_id" and tree is not None:
            return "cluster"
        if field == "log_dir" and tree:
            return "directory"
        if field in ("total_bytes", "usable_bytes") and tree > 0:
            return "bytes"
        if field == "host" and tree == self.host:
            return "host"
        if field == "port" and tree == self.port:
            return "port"
        if isinstance(tree, int) and (self.started - 60) * 1000 < tree < (time.time() + 60) * 1000:
            return "now"
        return tree

    def learn(self, tree: Tree) -> None:
        """Topic ids are called after their topics."""
        name, identity = tree.get("name"), tree.get("topic_id")
        if name and identity not in UNNAMED and ("topic", identity) not in self.known:
            again = sum(label.startswith(f"id of {name}") for label in self.known.values())
            self.known["topic", identity] = f"id of {name}" + (f", {again + 1}" if again else "")

    def label(self, kind: str, value: Any) -> str:
        if (kind, value) not in self.known:
            self.count[kind] = self.count.get(kind, 0) + 1
            self.known[kind, value] = f"{kind} {self.count[kind]}"
        return self.known[kind, value]


def keyed(items: list[Tree]) -> dict[str, Tree]:
    """A list's items by their own name where they have one, so that a missing one does not shift the others."""
    found: dict[str, Tree] = {}
    for index, item in enumerate(items):
        names = [item[key] for key in NAMES if isinstance(item, dict) and isinstance(item.get(key), str | int)]
        name = str(names[0] if names else index)
        found[name if name not in found else f"{name} again {index}"] = item
    return found
