"""What is known of one setting, read off `BrokerOptions`: a field that is added there is a setting by that alone.

A field whose type is a dataclass stands for the fields of that: `tls.certificate`, `sasl.oauth.jwks`. A field's
docstring is the setting's; where it opens with a dotted name in backticks, that is the setting's name in Kafka. A field
with `repr=False` is a secret: its value is shown nowhere, but for the path of the file that holds it.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

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
    """The annotation: bool, int, float, str, Path, `str | Path` for a path or the text itself, Literal, a mapping of
    strings, a tuple, each also `| None`."""
    default: Any
    """None where there is no default: what it is a part of cannot be without it."""
    required: bool
    described: type
    """The dataclass whose field it is."""
    secret: bool
    low: int
    """The least number allowed."""
    high: int | None
    separator: str
    """Between the items of a tuple that is given as text."""
    split: Callable[[str], list[str]] | None
    """How such a text comes apart, where the separator does not say it all."""

    @property
    def doc(self) -> str:
        """Its lines joined. Read off the source when somebody asks, which few do who start a broker: it takes as long
        as a tenth of the start."""
        return field_docs(self.described).get(self.name.rpartition(".")[2], "")

    @property
    def kafka_name(self) -> str | None:
        """With which the docstring opens; None: Kafka has no such setting."""
        opening = KAFKA_NAME.match(self.doc)
        return opening[1] if opening else None

    @property
    def flag(self) -> str:
        """Of `headrace broker`."""
        return "--" + self.name.replace("_", "-").replace(".", "-")

    @property
    def has_flag(self) -> bool:
        """Not a secret that is no file: whoever lists the processes would see it."""
        return self.path or not self.secret

    @property
    def variable(self) -> str:
        """Of the environment."""
        return SETTINGS_PREFIX + self.name.upper().replace(".", "_")

    @property
    def path(self) -> bool:
        """Whether its value is, or can be, a path."""
        return self.type is Path or Path in get_args(self.type)

    @property
    def path_or_text(self) -> bool:
        return {str, Path} <= set(get_args(self.type))

    @property
    def choices(self) -> tuple[str, ...]:
        """The values there are, of a setting or of its items; empty: any."""
        wanted = self.required_type
        if get_origin(wanted) is tuple:
            wanted = get_args(wanted)[0]
        return get_args(wanted) if get_origin(wanted) is Literal else ()

    @property
    def kafka_factor(self) -> int:
        """How many of the setting's units one of Kafka's is."""
        return 1_000 if self.name.endswith("_ms") and (self.kafka_name or "").endswith(".seconds") else 1

    @property
    def mapping(self) -> bool:
        return get_origin(self.required_type) is Mapping

    @property
    def required_type(self) -> Any:
        """The type without `| None`; str for a path or text."""
        options = [option for option in get_args(self.type) if option is not type(None)]
        return options[0] if self.optional and options else self.type

    @property
    def optional(self) -> bool:
        return type(None) in get_args(self.type)

    def shown(self, value: object) -> str:
        """The value as text, for people and files; stars for a secret."""
        if value is None:
            return ""
        if self.secret and value and not isinstance(value, Path):
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
    return settings_of(BrokerOptions)


@cache
def settings_of(described: type, prefix: str = "") -> Mapping[str, Setting]:
    """The settings that the fields of a dataclass stand for."""
    types = get_type_hints(described)
    found: dict[str, Setting] = {}
    for field in fields(described):
        part = part_type(types[field.name])
        if part is None:
            found[prefix + field.name] = setting_of(field, types[field.name], described, prefix)
        else:
            found |= settings_of(part, f"{prefix}{field.name}.")
    return found


def part_type(annotation: Any) -> type | None:
    """The dataclass that a field is, with or without `| None`."""
    kinds = (annotation,) if get_origin(annotation) is tuple else (annotation, *get_args(annotation))
    return next((kind for kind in kinds if is_dataclass(kind)), None)  # pyright: ignore[reportReturnType]


def setting_of(field: Field[Any], annotation: Any, described: type, prefix: str) -> Setting:
    default: Any = field.default if field.default_factory is MISSING else field.default_factory()
    return Setting(
        name=prefix + field.name,
        type=annotation,
        default=None if default is MISSING else default,
        required=default is MISSING,
        described=described,
        secret=not field.repr,
        low=field.metadata.get("low", min(0, default) if type(default) is int else 0),
        high=field.metadata.get("high", 65_535 if field.name.endswith("port") else None),
        separator=field.metadata.get("separator", ","),
        split=field.metadata.get("split"),
    )


@cache
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
