"""What one setting means that was given somewhere, and what is said of one that means nothing."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from broker.settings.errors import SettingError
from broker.settings.given import Given
from broker.settings.kafka_properties import OTHERWISE, UNITS, settings_by_kafka_name, topic_configs_by_broker_name
from broker.settings.listeners import TEXTS
from broker.settings.security_properties import AUTHORIZER, LOCATIONS, cure, is_put_otherwise, is_secret, otherwise
from broker.settings.setting import MASK, SETTINGS_PREFIX, settings
from broker.settings.values import plain, value_of
from broker.topics.definitions import DEFINITIONS, InvalidConfigError

OF_LISTENER = "listener.name."


@contextmanager
def refusing(given: Given) -> Generator[None]:
    """Raises SettingError with place and name for a value that is none; secrets are not told."""
    try:
        yield
    except (ValueError, InvalidConfigError) as error:
        value = "" if isinstance(given.value, list | tuple) else f"{hidden(given)} does not fit; "
        raise SettingError(f"{said(given)}: {value}{error}") from error


def hidden(given: Given) -> str:
    """The value for messages."""
    setting = settings().get(known_as(given.name.removeprefix(OF_LISTENER)))
    if (setting is not None and setting.secret) or is_secret(given.name):
        return MASK
    return repr(given.value)


def known_as(name: str) -> str:
    """The setting's own name; empty for what is no setting."""
    return name if name in settings() else settings_by_kafka_name().get(name, "")


def setting_values(name: str, given: Given, *, of_listener: bool = False) -> dict[str, Any] | None:
    """Values by settings' names of a setting or a property of security; None: it is neither.

    Raises:
        SettingError: it is refused.
        ValueError: the value is.
    """
    found: dict[str, Any] = {}
    setting = settings().get(known_as(name))
    if setting is not None:
        value = value_of(setting, given.value)
        found[setting.name] = value if name == setting.name else value * setting.kafka_factor
    elif is_put_otherwise(name, of_listener=of_listener):
        for each, value in otherwise(name, plain(given.value)).items():
            found[each] = value_of(settings()[each], value)
    elif (instead := cure(name)) is not None:
        raise SettingError(f"{said(given)}: it is refused; {instead}")
    else:
        return None
    for each, value in found.items():
        if given.exposed and settings()[each].secret and not isinstance(value, Path | None):
            raise SettingError(
                f"{said(given)}: whoever lists the processes would see it there; put it into headrace.toml, a file of "
                f"properties or {settings()[each].variable}"
                + (", or give the path of a file" if settings()[each].path else "")
                + (", or name a file (--sasl-users-file)" if each == "sasl.users" else "")
            )
    return found


def unknown(given: Given) -> SettingError:
    return SettingError(f"{said(given)}: there is no such setting{meant(given.name, given.place)}")


def said(given: Given) -> str:
    """The place and the name, once if the place is called after the name."""
    known = settings().get(given.name)
    if given.place.startswith(SETTINGS_PREFIX) or (known is not None and given.place == known.flag):
        return given.place
    return f"{given.place}: {given.name}"


def meant(name: str, place: str = "") -> str:
    """What may have been meant by a name that is none, as it would be written in that place."""
    import difflib

    names = [*settings(), *settings_by_kafka_name(), *topic_configs_by_broker_name(), *DEFINITIONS, *UNITS, *OTHERWISE,
             *TEXTS, *LOCATIONS, AUTHORIZER]  # fmt: skip
    near = difflib.get_close_matches(name, names, n=1) or difflib.get_close_matches(name.replace(".", "_"), names, n=1)
    if not near:
        return "; `headrace broker --show-settings` lists them"
    variable = SETTINGS_PREFIX + near[0].upper().replace(".", "_")
    return f"; did you mean {variable if place.startswith(SETTINGS_PREFIX) else near[0]}?"
