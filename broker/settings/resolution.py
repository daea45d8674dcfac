"""From what all places say to the broker's options: the strongest place counts, setting by setting."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from broker.options import BrokerOptions
from broker.settings.errors import SettingError
from broker.settings.given import Given
from broker.settings.kafka_properties import (
    OTHERWISE,
    UNITS,
    settings_by_kafka_name,
    topic_configs_by_broker_name,
    why_ignored,
)
from broker.settings.setting import MASK, SETTINGS_PREFIX, Setting, settings
from broker.settings.values import pairs, plain, value_of
from broker.topics.definitions import DEFINITIONS, InvalidConfigError

TOPIC_DEFAULTS = "topic_defaults"
DEFAULT = "default"


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """One line of `--show-settings`."""

    name: str
    value: str
    """As text; stars for a secret."""
    place: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """The options, who set them, and what was set in vain."""

    options: BrokerOptions
    places: Mapping[str, str]
    """Of each setting that is set; of a topic default under `topic_defaults.<name>`."""
    notes: tuple[str, ...]
    """Properties that do nothing on this broker, one sentence each."""

    def origins(self) -> list[Origin]:
        """Every setting in the order of declaration, topic defaults one by one behind."""
        found: list[Origin] = []
        for setting in settings().values():
            value = getattr(self.options, setting.name)
            if setting.name != TOPIC_DEFAULTS:
                found.append(Origin(
                    name=setting.name, value=setting.shown(value), place=self.places.get(setting.name, DEFAULT)
                ))  # fmt: skip
        for name, value in self.options.topic_defaults.items():
            key = f"{TOPIC_DEFAULTS}.{name}"
            found.append(Origin(name=key, value=value, place=self.places.get(key, DEFAULT)))
        return found


def resolve(places: Iterable[Iterable[Given]], defaults: Mapping[str, Any] | None = None) -> Resolved:
    """What counts of all that is given.

    Args:
        places: strongest first; within a place the last one counts.
        defaults: what the program that asks has instead of the defaults of `BrokerOptions`.

    Raises:
        SettingError: a name is unknown or a value is none.
    """
    found = Findings()
    for place in reversed([list(place) for place in places]):
        for given in sorted(place, key=lambda one: one.name not in UNITS):
            found.take(given)
    values = {**(defaults or {}), **found.values}
    if found.topic_defaults:
        values[TOPIC_DEFAULTS] = {**values.get(TOPIC_DEFAULTS, {}), **found.topic_defaults}
    return Resolved(options=BrokerOptions(**values), places=found.places, notes=tuple(found.notes))


class Findings:
    """What was taken so far, from the weakest place on."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.topic_defaults: dict[str, str] = {}
        self.places: dict[str, str] = {}
        self.notes: list[str] = []

    def take(self, given: Given) -> None:
        """Raises SettingError."""
        name = given.name
        known = settings().get(name) or settings().get(settings_by_kafka_name().get(name, ""))
        try:
            if known is not None and known.name == TOPIC_DEFAULTS:
                for topic_config, value in pairs(given.value).items():
                    self.take_topic_default(topic_config, value, given)
            elif known is not None:
                self.set(known, value_of(known, given.value), given)
            elif name in OTHERWISE:
                for setting, value in OTHERWISE[name](plain(given.value)).items():
                    self.set(settings()[setting], value_of(settings()[setting], value), given)
            elif name in UNITS:
                topic_config, unit_ms = UNITS[name]
                count = int(plain(given.value))
                self.take_topic_default(topic_config, str(count if count < 0 else count * unit_ms), given)
            elif (topic_config := topic_configs_by_broker_name().get(name)) is not None or name in DEFINITIONS:
                self.take_topic_default(topic_config or name, plain(given.value), given)
            elif (why := why_ignored(name)) is not None:
                self.notes.append(f"{name} ({given.place}) does nothing here: {why}")
            else:
                raise SettingError(f"{said(given)}: there is no such setting{meant(name, given.place)}")
        except (ValueError, InvalidConfigError) as error:
            shown = MASK if known is not None and known.secret else repr(given.value)
            raise SettingError(f"{said(given)}: {shown} does not fit; {error}") from error

    def set(self, setting: Setting, value: Any, given: Given) -> None:
        self.values[setting.name] = value
        self.places[setting.name] = given.place

    def take_topic_default(self, name: str, value: str, given: Given) -> None:
        definition = DEFINITIONS.get(name)
        if definition is None:
            raise SettingError(f"{said(given)}: there is no topic config {name!r}{meant(name)}")
        definition.check(value)
        self.topic_defaults[name] = value
        self.places[f"{TOPIC_DEFAULTS}.{name}"] = given.place


def said(given: Given) -> str:
    """The place and the name, once if the place is called after the name."""
    known = settings().get(given.name)
    if given.place.startswith(SETTINGS_PREFIX) or (known is not None and given.place == known.flag):
        return given.place
    return f"{given.place}: {given.name}"


def meant(name: str, place: str = "") -> str:
    """What may have been meant by a name that is none, as it would be written in that place."""
    names = [*settings(), *settings_by_kafka_name(), *topic_configs_by_broker_name(), *DEFINITIONS, *UNITS, *OTHERWISE]
    near = difflib.get_close_matches(name, names, n=1) or difflib.get_close_matches(name.replace(".", "_"), names, n=1)
    if not near:
        return "; `headrace broker --show-settings` lists them"
    variable = SETTINGS_PREFIX + near[0].upper().replace(".", "_")
    return f"; did you mean {variable if place.startswith(SETTINGS_PREFIX) else near[0]}?"
