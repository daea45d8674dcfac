"""From what somebody wrote to a setting's value: texts of flags, variables and property files, values of TOML."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, cast, get_args, get_origin

from broker.security.tls import PEM_MARK
from broker.settings.setting import Setting

TRUTHS = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
PEM_BLOCK = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----(.*?)-----END \1-----\s*", re.DOTALL)
WHY_NOT = {"GSSAPI": "Kerberos is not spoken here, SCRAM-SHA-512 is as safe; "}
"""Of values that are good in Kafka."""


def value_of(setting: Setting, written: object) -> Any:
    """The value of the setting's type. Raises ValueError that says what is expected."""
    if setting.optional and isinstance(written, str) and written.lower() in ("", "none"):
        return None
    return typed(setting, setting.required_type, written)


def typed(setting: Setting, wanted: Any, written: object) -> Any:
    if wanted is bool:
        return truth(written)
    if wanted is int:
        return number(setting, written)
    if wanted is float:
        return real(written)
    origin = get_origin(wanted)
    if origin is Literal:
        choices = get_args(wanted)
        if written not in choices:
            raise ValueError(WHY_NOT.get(str(written), "") + f"expected {' or '.join(map(str, choices))}")
        return written
    if origin is Mapping:
        return pairs(written)
    if origin in (tuple, Sequence):
        return tuple(typed(setting, get_args(wanted)[0], item) for item in listed(setting, written))
    if isinstance(written, bool | dict | list):
        raise ValueError("expected a text")
    if setting.path_or_text:
        return path_or_text(written)
    return Path(str(written)).expanduser() if wanted is Path else str(written)


def path_or_text(written: object) -> str | Path:
    """A PEM and a URL are text."""
    if isinstance(written, Path):
        return written
    text = str(written)
    if PEM_MARK in text:
        return pem(text)
    return text if "://" in text else Path(text).expanduser()


def pem(text: str) -> str:
    """With line ends where properties files and variables have lost them."""

    def block(found: re.Match[str]) -> str:
        label, content = found.groups()
        if "\n" not in content.strip():
            packed = "".join(content.split())
            content = "".join(f"\n{packed[start : start + 64]}" for start in range(0, len(packed), 64)) + "\n"
        return f"-----BEGIN {label}-----{content}-----END {label}-----\n"

    return PEM_BLOCK.sub(block, text)


def listed(setting: Setting, written: object) -> list[object]:
    """An array, or a text with separators."""
    if isinstance(written, list | tuple):
        return list(cast("list[object]", written))
    items = str(written).split(setting.separator) if setting.split is None else setting.split(str(written))
    return [item.strip() for item in items if item.strip()]


def truth(written: object) -> bool:
    if isinstance(written, bool):
        return written
    found = TRUTHS.get(written.lower()) if isinstance(written, str) else None
    if found is None:
        raise ValueError("expected true or false")
    return found


def number(setting: Setting, written: object) -> int:
    high = setting.high
    expected = f"expected a whole number of at least {setting.low}"
    if high is not None:
        expected = f"expected a whole number from {setting.low} to {high}"
    if isinstance(written, bool | float) or not isinstance(written, int | str):
        raise ValueError(expected)
    try:
        found = int(written)
    except ValueError:
        raise ValueError(expected) from None
    if found < setting.low or (high is not None and found > high):
        raise ValueError(expected)
    return found


def real(written: object) -> float:
    try:
        if isinstance(written, bool) or not isinstance(written, int | float | str):
            raise ValueError
        return float(written)
    except ValueError:
        raise ValueError("expected a number") from None


def pairs(written: object) -> dict[str, str]:
    """A table, or a text `name=value,name=value`."""
    if isinstance(written, Mapping):
        return {name: plain(each) for name, each in cast("Mapping[str, object]", written).items()}
    found: dict[str, str] = {}
    for item in filter(None, str(written).split(",")):
        name, equals, value = item.partition("=")
        if not equals:
            raise ValueError("expected name=value,name=value")
        found[name.strip()] = value.strip()
    return found


def plain(value: object) -> str:
    """A value of TOML as Kafka's files have it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ",".join(map(plain, cast("list[object]", value)))
    return str(value)
