"""What the places have said, put together: the strongest place counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from broker.options import BrokerOptions
from broker.server.listener import Listener
from broker.settings.building import IncompleteError, built
from broker.settings.errors import SettingError
from broker.settings.given import Given
from broker.settings.kafka_properties import OTHERWISE, UNITS, topic_configs_by_broker_name, why_ignored
from broker.settings.listeners import (
    ADVERTISED,
    CONTROLLERS,
    LISTENERS,
    TEXTS,
    advertise,
    listener_called,
    listeners_of,
    names,
)
from broker.settings.meaning import OF_LISTENER, known_as, meant, refusing, said, setting_values, unknown
from broker.settings.setting import Setting, settings
from broker.settings.values import pairs, plain, value_of
from broker.topics.definitions import DEFINITIONS

TOPIC_DEFAULTS = "topic_defaults"
DEFAULT = "default"


class Findings:
    """What was taken so far, from the weakest place on."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.topic_defaults: dict[str, str] = {}
        self.places: dict[str, str] = {}
        self.ranks: dict[str, int] = {}
        """Of the places; the strongest has the highest."""
        self.notes: list[str] = []
        self.listeners: Given | None = None
        self.texts: dict[str, Given] = {}
        """What else is said of listeners, by `broker.settings.listeners.TEXTS`."""
        self.of_listeners: list[Given] = []
        """`listener.name.…`"""

    def take(self, given: Given, rank: int) -> None:
        """Raises SettingError."""
        name = given.name
        with refusing(given):
            if name.startswith(OF_LISTENER):
                self.of_listeners.append(given)
            elif name == LISTENERS:
                self.listeners = given
                self.places[name], self.ranks[name] = given.place, rank
            elif name in OTHERWISE:
                for setting, value in OTHERWISE[name](plain(given.value)).items():
                    self.set(settings()[setting], value_of(settings()[setting], value), given, rank)
            elif name in UNITS:
                topic_config, unit_ms = UNITS[name]
                count = int(plain(given.value))
                self.take_topic_default(topic_config, str(count if count < 0 else count * unit_ms), given)
            elif name.startswith(f"{TOPIC_DEFAULTS}."):
                self.take_topic_default(name.removeprefix(f"{TOPIC_DEFAULTS}."), plain(given.value), given)
            elif known_as(name) == TOPIC_DEFAULTS:
                for topic_config, value in pairs(given.value).items():
                    self.take_topic_default(topic_config, value, given)
            elif (values := setting_values(name, given)) is not None:
                for setting, value in values.items():
                    self.set(settings()[setting], value, given, rank)
            elif (topic_config := topic_configs_by_broker_name().get(name)) is not None or name in DEFINITIONS:
                self.take_topic_default(topic_config or name, plain(given.value), given)
            elif name in TEXTS:
                self.texts[name] = given
                self.places[name] = given.place
                if name == CONTROLLERS:
                    self.notes.append(f"{name} ({given.place}) does nothing here: {why_ignored(name)}")
            elif (why := why_ignored(name)) is not None:
                self.notes.append(f"{name} ({given.place}) does nothing here: {why}")
            else:
                raise unknown(given)

    def set(self, setting: Setting, value: Any, given: Given, rank: int) -> None:
        self.values[setting.name] = value
        self.places[setting.name], self.ranks[setting.name] = given.place, rank

    def take_topic_default(self, name: str, value: str, given: Given) -> None:
        definition = DEFINITIONS.get(name)
        if definition is None:
            raise SettingError(f"{said(given)}: there is no topic config {name!r}{meant(name)}")
        definition.check(value)
        self.topic_defaults[name] = value
        self.places[f"{TOPIC_DEFAULTS}.{name}"] = given.place

    # -- all together ------------------------------------------------------------------------------------------------
    def options(self, defaults: Mapping[str, Any]) -> BrokerOptions:
        """Raises SettingError."""
        values = {**defaults, **self.values}
        for part in ("tls", "sasl"):  # that a switch is off says nothing of what it belongs to
            mine = {name for name in self.values if name.startswith(f"{part}.")}
            if not values.get(part) and all(self.values[name] == settings()[name].default for name in mine):
                values = {name: value for name, value in values.items() if name not in mine}
        if self.topic_defaults:
            values[TOPIC_DEFAULTS] = {**values.get(TOPIC_DEFAULTS, {}), **self.topic_defaults}
        try:
            options: BrokerOptions = built(BrokerOptions, values)
        except IncompleteError as error:
            raise self.incomplete(error.name) from error
        if self.listeners is not None:
            with refusing(self.listeners):
                texts = {name: plain(given.value) for name, given in self.texts.items()}
                options = replace(options, listeners=listeners_of(self.listeners.value, texts))
        if options.listeners:
            self.check_addresses()
        if ADVERTISED in self.texts:
            with refusing(self.texts[ADVERTISED]):
                options = advertise(options, plain(self.texts[ADVERTISED].value), self.controllers)
        return self.with_own(options)

    @property
    def controllers(self) -> str:
        """Names of listeners that there are none of here."""
        return plain(self.texts[CONTROLLERS].value) if CONTROLLERS in self.texts else ""

    def with_own(self, options: BrokerOptions) -> BrokerOptions:
        """With what is said of single listeners: it counts before what is said for all. Raises SettingError."""
        own: dict[str, dict[str, Any]] = {}
        for given in self.of_listeners:
            text = given.name.removeprefix(OF_LISTENER)
            found = listener_called(text, options.listeners)
            if found is None and listener_called(text, [Listener(name=one) for one in names(self.controllers)]):
                self.notes.append(f"{given.name} ({given.place}) does nothing here: there is one node")
                continue
            if found is None:
                titles = ", ".join(one.title for one in options.listeners) or "none"
                raise SettingError(f"{said(given)}: there is no such listener; listeners are {titles}")
            listener, name = found
            with refusing(given):
                values = setting_values(name, given, of_listener=True)
            if values is None or any(not setting.startswith(("tls.", "sasl.")) for setting in values):
                raise SettingError(
                    f"{said(given)}: {name} is no setting of single listeners; those of TLS and SASL are"
                )
            own.setdefault(listener.title, {}).update(values)
            self.places |= {f"{OF_LISTENER}{listener.title.lower()}.{setting}": given.place for setting in values}
        return replace(
            options,
            listeners=tuple(
                self.overlaid(one, own[one.title], options) if own.get(one.title) else one for one in options.listeners
            ),
        )

    def overlaid(self, listener: Listener, values: Mapping[str, Any], options: BrokerOptions) -> Listener:
        """Raises SettingError."""
        before = replace(listener, tls=listener.tls or options.tls, sasl=listener.sasl or options.sasl)
        try:
            whole: Listener = built(Listener, values, before)
        except IncompleteError as error:
            raise SettingError(
                f"listener {listener.title} has {', '.join(values)}, but no {error.name}; set it for all listeners, or "
                f"{OF_LISTENER}{listener.title.lower()}.{error.name}"
            ) from error
        return replace(listener, **{part: getattr(whole, part) for part in {name.partition(".")[0] for name in values}})

    def check_addresses(self) -> None:
        """Raises SettingError: an address was given that is not listened on."""
        for name in ("host", "port", "advertised_host", "advertised_port"):
            if self.ranks.get(name, -1) >= self.ranks.get(LISTENERS, 0):  # of a weaker place, it may stand there
                raise SettingError(
                    f"{name} ({self.places[name]}) counts for nothing beside listeners "
                    f"({self.places.get(LISTENERS, DEFAULT)}); say it there, or give no listeners"
                )

    def incomplete(self, name: str) -> SettingError:
        setting = settings()[name]
        part = name.rpartition(".")[0] + "."
        given, place = next((one, place) for one, place in self.places.items() if one.startswith(part))
        return SettingError(
            f"{given} ({place}) is nothing without {name}; set {name} ({setting.flag}, {setting.variable})"
        )
