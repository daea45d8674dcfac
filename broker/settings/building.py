"""From values by dotted names to the nested dataclasses they belong to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, get_type_hints

from broker.settings.setting import part_type, settings_of


class IncompleteError(ValueError):
    """Something cannot be without what is not there."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} is missing")
        self.name = name
        """The missing setting's."""


def built(described: type, values: Mapping[str, Any], before: Any = None, prefix: str = "") -> Any:
    """A dataclass of the values, and for the rest of the one before or of the defaults.

    Raises IncompleteError.
    """
    whole: dict[str, Any] = {} if before is None else {one.name: getattr(before, one.name) for one in fields(described)}
    parts: dict[str, dict[str, Any]] = {}
    for name, value in values.items():
        head, dot, rest = name.partition(".")
        if dot:
            parts.setdefault(head, {})[rest] = value
        else:
            whole[head] = value
    types = get_type_hints(described) if parts else {}
    for head, inner in parts.items():
        part = part_type(types[head])
        assert part is not None
        whole[head] = built(part, inner, whole.get(head), f"{prefix}{head}.")
    for name, setting in settings_of(described).items():
        if setting.required and "." not in name and name not in whole:
            raise IncompleteError(prefix + name)
    return described(**whole)


def value_at(described: object, name: str) -> Any:
    """The value of a setting; None where what it is a part of is not there."""
    for step in name.split("."):
        described = getattr(described, step, None)
    return described
