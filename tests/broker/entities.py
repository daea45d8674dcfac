"""Random requests: any API and version, with fields of the right types."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from types import UnionType
from typing import Any, get_args, get_origin
from uuid import UUID

INTEGERS = (0, 0, 1, 1, 2, 3, 5, 8, 16, 100, 127, -1, -1, -2, -128)
LARGE = (1_000, 32_767, -32_768, 65_536, 2**31 - 1, -(2**31), 2**63 - 1, -(2**63), 1_700_000_000_000)
BITS = {"int8": 8, "int16": 16, "int32": 32, "int64": 64}


def random_entity(entity: type[Any], random: Random, words: tuple[str, ...] = ("", "a", "topic", "x" * 300)) -> Any:
    """An entity of a class of kio; `words` are what strings are taken from."""
    return entity(
        **{
            field.name: random_value(field.type, field.metadata.get("kafka_type"), random, words)
            for field in fields(entity)
        }
    )


def random_value(annotation: Any, kafka_type: str | None, random: Random, words: tuple[str, ...]) -> Any:
    if isinstance(annotation, UnionType):
        inner = [option for option in get_args(annotation) if option is not type(None)]
        if kafka_type != "uuid" and random.random() < 0.3:
            return None
        return random_value(inner[0], kafka_type, random, words)
    if get_origin(annotation) is tuple:
        item = get_args(annotation)[0]
        count = random.choice((0, 1, 1, 2, 3))
        return tuple(random_value(item, kafka_type, random, words) for _ in range(count))
    if is_dataclass(annotation):
        return random_entity(annotation, random, words)
    assert kafka_type is not None
    return random_primitive(kafka_type, random, words)


def random_primitive(kafka_type: str, random: Random, words: tuple[str, ...]) -> Any:
    match kafka_type:
        case "bool":
            return random.random() < 0.5
        case "string":
            return random.choice(words)
        case "bytes" | "records":
            return random.randbytes(random.choice((0, 1, 10, 100)))
        case "uuid":
            return UUID(bytes=random.randbytes(16)) if random.random() < 0.5 else None
        case "float64":
            return random.choice((0.0, 1.0, -1.5, 1e300))
        case "uint16":
            return random.choice((0, 1, 9092, 65_535))
        case "datetime_i64":
            return datetime.fromtimestamp(random.choice((0, 1_700_000_000)), UTC)
        case "timedelta_i32" | "timedelta_i64":
            return timedelta(milliseconds=random_integer(32, random))
        case _:
            return random_integer(BITS[kafka_type], random)


def random_integer(bits: int, random: Random) -> int:
    value = random.choice(LARGE if random.random() < 0.2 else INTEGERS)
    return value if -(1 << bits - 1) <= value < 1 << bits - 1 else random.choice((0, -1))
