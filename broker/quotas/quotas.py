"""All client quotas, durable in `<data>/client-quotas.json`.

{"quotas": [{"entity": {"user": "ann"}, "values": {"producer_byte_rate": 1000.0}}]}
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from broker.quotas.entity import CLIENT_ID, IP, USER, Entity, QuotaError, entity_of
from broker.state_file import StateFile

EXACT, DEFAULT, ANY = 0, 1, 2


class Match(NamedTuple):
    """One component of a filter: entities of that kind with that name, with the default name, or with any."""

    kind: str
    match: int
    name: str | None


class ClientQuotas:
    """Owned by the broker state."""

    def __init__(self, file: StateFile) -> None:
        self.file = file
        self.values: dict[Entity, Mapping[str, float]] = {}

    def load(self) -> None:
        """Raises DataDirectoryError, OSError."""
        try:
            for line in self.file.load().get("quotas", ()):
                values = {str(key): float(value) for key, value in line["values"].items()}
                self.values[entity_of(line["entity"].items())] = values
        except (AttributeError, KeyError, TypeError, ValueError, QuotaError) as error:
            raise self.file.damaged(error) from error

    def alter(self, changes: Mapping[Entity, Mapping[str, float | None]]) -> None:
        """Sets quotas, or removes those that are None; durable first, true then. Raises OSError."""
        following = dict(self.values)
        for entity, quotas in changes.items():
            merged = {**following.get(entity, {}), **quotas}
            kept = {key: value for key, value in merged.items() if value is not None}
            following.pop(entity, None)
            if kept:
                following[entity] = kept
        lines = [{"entity": dict(entity), "values": dict(values)} for entity, values in following.items()]
        self.file.store({"quotas": lines})
        self.values = following

    def matching(self, components: list[Match], *, strict: bool) -> dict[Entity, Mapping[str, float]]:
        """The quotas whose entity has all components; `strict`: and no other kinds."""
        return {
            entity: values
            for entity, values in self.values.items()
            if all(matches(dict(entity), one) for one in components) and (not strict or len(entity) == len(components))
        }


def matches(entity: Mapping[str, str | None], component: Match) -> bool:
    if component.kind not in entity:
        return False
    name = entity[component.kind]
    return component.match == ANY or (name is None if component.match == DEFAULT else name == component.name)


def check_filter(components: list[Match]) -> None:
    """Raises QuotaError for a filter that contradicts itself."""
    kinds = [one.kind for one in components]
    for kind, match, name in components:
        if not kind:
            raise QuotaError("Invalid empty entity type.")
        if kinds.count(kind) > 1:
            raise QuotaError(f"Entity type {kind} cannot appear more than once in the filter.")
        if match not in (EXACT, DEFAULT, ANY):
            raise QuotaError(f"Unknown match type {match}")
        if match == EXACT and name is None:
            raise QuotaError("Request specified MATCH_TYPE_EXACT, but set match string to null.")
        if match != EXACT and name is not None:
            said = "MATCH_TYPE_DEFAULT" if match == DEFAULT else "MATCH_TYPE_SPECIFIED"
            raise QuotaError(f"Request specified {said}, but also specified a match string.")
    if IP in kinds and (USER in kinds or CLIENT_ID in kinds):
        raise QuotaError(
            "Invalid entity filter component combination. IP filter component should not be used with user or clientId "
            "filter component."
        )
