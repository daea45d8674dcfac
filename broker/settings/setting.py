"""What is known of one setting, read off `BrokerOptions`: a field that is added there is a setting by that alone.

The field's docstring is the setting's; where it opens with a dotted name in backticks, that is the setting's name in
Kafka. A field with `repr=False` is a secret: its value is shown nowhere.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from functools import cache
from typing import Any, get_args, get_origin, get_type_hints

from broker.options import BrokerOptions

SETTINGS_PREFIX = "HEADRACE_BROKER_"
"""Of the variables of the environment."""
KAFKA_NAME = re.compile(r"`([a-z][a-z0-9]*(?:\.[a-z0-9]+)+)`")
MASK = "***"


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One setting. Durations in ms, sizes in bytes."""

    name: str
    type: Any
    """The annotation: bool, int, float, str, Path, Literal, a mapping of strings, a tuple, each also `| None`."""
    default: Any
    doc: str
    kafka_name: str | None
    secret: bool
    low: int
    """The least number allowed."""
    high: int | None
    separator: str
    """Between the items of a tuple that is given as text."""

    @property
    def flag(self) -> str:
        """Of `headrace broker`."""
        return "--" + self.name.replace("_", "-")

    @property
    def variable(self) -> str:
        """Of the environment."""
        return SETTINGS_PREFIX + self.name.upper()

    @property
    def mapping(self) -> bool:
        return get_origin(self.required_type) is Mapping

    @property
    def required_type(self) -> Any:
        """The type without `| None`."""
        options = [option for option in get_args(self.type) if option is not type(None)]
        return options[0] if self.optional and options else self.type

    @property
    def optional(self) -> bool:
        return type(None) in get_args(self.type)

    def shown(self, value: object) -> str:
        """The value as text, for people and files; stars for a secret."""
        if value is None:
            return ""
        if self.secret:
            return MASK
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, Mapping):
            return ",".join(f"{name}={each}" for name, each in value.items())  # pyright: ignore[reportUnknownVariableType]
        if isinstance(value, tuple):
            return self.separator.join(map(str, value))  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
        return str(value)


@cache
def settings() -> Mapping[str, Setting]:
    """All settings by name, in the order of their declaration."""
    docs = field_docs(BrokerOptions)
    types = get_type_hints(BrokerOptions)
    found: dict[str, Setting] = {}
    for field in fields(BrokerOptions):
        default: Any = field.default if field.default_factory is MISSING else field.default_factory()
        doc = docs.get(field.name, "")
        opening = KAFKA_NAME.match(doc)
        port = field.name.endswith("port")
        found[field.name] = Setting(
            name=field.name,
            type=types[field.name],
            default=default,
            doc=doc,
            kafka_name=opening[1] if opening else None,
            secret=not field.repr,
            low=field.metadata.get("low", min(0, default) if type(default) is int else 0),
            high=field.metadata.get("high", 65_535 if port else None),
            separator=field.metadata.get("separator", ","),
        )
    return found


def field_docs(described: type) -> Mapping[str, str]:
    """The string below each field of a class, its lines joined; empty where the source is not there."""
    try:
        [tree] = ast.parse(inspect.getsource(described)).body
    except (OSError, SyntaxError):
        return {}
    assert isinstance(tree, ast.ClassDef)
    docs: dict[str, str] = {}
    for statement, following in zip(tree.body, tree.body[1:]):
        match statement, following:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                docs[name] = " ".join(text.split())
            case _:
                pass
    return docs
