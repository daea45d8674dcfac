"""Which topic names are valid.

Source: `Topic.validate` of Apache Kafka.
"""

from __future__ import annotations

import re

MAX_LENGTH = 249
OFFSETS_TOPIC = "__consumer_offsets"
TRANSACTIONS_TOPIC = "__transaction_state"
SCHEMAS_TOPIC = "_schemas"
"""Of the schema registry, if the broker serves one; a registry of another make may keep its own there otherwise."""
INTERNAL = frozenset((OFFSETS_TOPIC, TRANSACTIONS_TOPIC))
"""The broker's own topics: clients can read them, but neither create them nor write to them."""
VALID = re.compile(r"[a-zA-Z0-9._-]+")


def problem_with_name(name: str) -> str | None:
    """What is wrong with a topic name, or None if it is valid."""
    if not name:
        return "Topic name is invalid: the empty string is not allowed"
    if name in (".", ".."):
        return f"Topic name is invalid: '{name}' is not allowed"
    if len(name) > MAX_LENGTH:
        return f"Topic name is invalid: the length of '{name}' is longer than the max allowed length {MAX_LENGTH}"
    if VALID.fullmatch(name) is None:
        return (
            f"Topic name is invalid: '{name}' contains one or more characters other than ASCII alphanumerics, "
            "'.', '_' and '-'"
        )
    return None


def collision_key(name: str) -> str:
    """Two names with the same key collide in metric names: '.' and '_' count as the same."""
    return name.replace(".", "_")
