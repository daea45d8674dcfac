"""From what all places say to the broker's options: the strongest place counts, setting by setting."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from broker.options import BrokerOptions
from broker.settings.building import value_at
from broker.settings.findings import DEFAULT, TOPIC_DEFAULTS, Findings
from broker.settings.given import Given
from broker.settings.kafka_properties import UNITS
from broker.settings.listeners import LISTENERS, shown
from broker.settings.setting import settings


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

        def add(name: str, value: str, of: str = "") -> None:
            found.append(Origin(name=name, value=value, place=self.places.get(name) or self.places.get(of, DEFAULT)))

        for name, setting in settings().items():
            if name == LISTENERS and self.options.listeners:
                for line, value in shown(self.options.listeners):
                    add(line, value, LISTENERS)
            elif name != TOPIC_DEFAULTS:
                part = name.rpartition(".")[0]
                there = not part or value_at(self.options, part) is not None
                add(name, setting.shown(value_at(self.options, name) if there else setting.default))
        for name, value in self.options.topic_defaults.items():
            add(f"{TOPIC_DEFAULTS}.{name}", value)
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
    for rank, place in enumerate(reversed([list(place) for place in places])):
        for given in sorted(place, key=lambda one: one.name not in UNITS):
            found.take(given, rank)
    options = found.options(defaults or {})
    return Resolved(options=options, places=found.places, notes=tuple(found.notes))
