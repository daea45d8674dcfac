"""Each setting with its value and the place that set it, for `headrace config show` and for messages."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from msgspec import Struct

from streams.client_properties import CLIENT_PREFIX, WHOLE, masked, properties_from_environment, variable_of
from streams.settings.application import AppSettings
from streams.settings_file import FILE_VARIABLE, PREFIX, SettingsFile

DEFAULT = "default"
BROKER_PREFIX = "HEADRACE_BROKER_"
"""Of variables for `headrace broker`, which refuses what it does not know."""


class Setting(Struct, frozen=True, kw_only=True):
    """One setting. `name` of a client's property is `client_config.<property>`; `value` is masked if it is a secret."""

    name: str
    value: Any
    origin: str


def settings_with_origins(
    settings: AppSettings,
    given: Mapping[str, Any],
    environ: Mapping[str, str],
    file: SettingsFile | None,
    *,
    argument: str = "argument",
) -> Iterator[Setting]:
    """The settings in the order of their declaration.

    Args:
        given: the arguments they were made with.
        environ, file: the rest they were made with.
        argument: what to call the origin of an argument.
    """
    from_file: Mapping[str, Any] = file.values if file is not None else {}
    in_file = str(file.path) if file is not None else ""
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        if name == "client_config":
            yield from _properties(value, given.get(name) or {}, environ, from_file.get(name, {}), argument, in_file)
        elif name in given or name == "application_id":
            yield Setting(name=name, value=masked(name, value), origin=argument)
        elif (variable := PREFIX + name.upper()) in environ:
            yield Setting(name=name, value=masked(name, value), origin=variable)
        elif name in from_file:
            yield Setting(name=name, value=masked(name, value), origin=in_file)
        else:
            yield Setting(name=name, value=masked(name, value), origin=DEFAULT)


def _properties(
    properties: Mapping[str, Any],
    given: Collection[str],
    environ: Mapping[str, str],
    from_file: Collection[str],
    argument: str,
    in_file: str,
) -> Iterator[Setting]:
    single = properties_from_environment(environ)
    for name, value in sorted(properties.items()):
        if name in given:
            origin = argument
        elif name in single:
            origin = variable_of(name)
        else:
            origin = in_file if name in from_file and WHOLE not in environ else WHOLE
        yield Setting(name=f"client_config.{name}", value=masked(name, value), origin=origin)


def unknown_variables(environ: Mapping[str, str]) -> dict[str, str | None]:
    """Variables that begin as ours and set nothing, with the one that may have been meant."""
    known = [PREFIX + name.upper() for name in AppSettings.model_fields] + [FILE_VARIABLE, WHOLE]
    strange = [
        name
        for name in sorted(environ)
        if name.startswith(PREFIX) and not name.startswith((CLIENT_PREFIX, BROKER_PREFIX)) and name not in known
    ]
    return {name: next(iter(difflib.get_close_matches(name, known, n=1)), None) for name in strange}
