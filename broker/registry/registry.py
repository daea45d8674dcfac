"""What a registry knows, and what it answers. It writes nothing: each change is a list of records, which its owner
appends to `_schemas` and then hands to `apply`, as it does with all records at the start.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from broker.journal.entry import KeyValue
from broker.registry import compatibility, errors
from broker.registry.records import forgotten_record, read_record, setting_record, version_record
from broker.registry.schema import Schema, Version

MODES = ("READWRITE", "READONLY", "READONLY_OVERRIDE", "IMPORT")
DEFAULT_MODE = "READWRITE"

Changes = list[KeyValue]


class Registry:
    """Owned by the registry's server, used in the event loop's thread only. Methods raise RegistryError."""

    def __init__(self) -> None:
        self._subjects: dict[str, dict[int, Version]] = {}
        """Versions by their numbers, deleted ones included."""
        self._ids: dict[int, Schema] = {}
        self._by_schema: dict[Schema, int] = {}
        self._settings: dict[tuple[str, str | None], str] = {}
        self._last_id = 0

    # -- state ------------------------------------------------------------------------------------------------------
    def apply(self, key: bytes, value: bytes | None) -> None:
        """Takes in a record of `_schemas`."""
        told = read_record(key, value)
        if isinstance(told, Version):
            self._subjects.setdefault(told.subject, {})[told.number] = told
            self._ids[told.id] = told.schema
            self._by_schema.setdefault(told.schema, told.id)
            self._last_id = max(self._last_id, told.id)
        elif told is not None and len(told) == 2:
            self._forget(*told)
        elif told is not None:
            kind, subject, setting = told
            self._settings.pop((kind, subject), None)
            if setting is not None:
                self._settings[kind, subject] = setting

    def _forget(self, subject: str, number: int) -> None:
        versions = self._subjects.get(subject, {})
        gone = versions.pop(number, None)
        if not versions:
            self._subjects.pop(subject, None)
        if gone is not None and not any(True for _ in self.uses(gone.id, deleted=True)):
            self._by_schema.pop(self._ids.pop(gone.id), None)

    # -- reading ----------------------------------------------------------------------------------------------------
    def subjects(self, *, prefix: str = "", deleted: bool = False, deleted_only: bool = False) -> list[str]:
        """In the order of their names. `deleted`: those of which all versions are deleted, too."""
        found: list[str] = []
        for subject, versions in self._subjects.items():
            alive = any(not version.deleted for version in versions.values())
            if subject.startswith(prefix) and (not alive if deleted_only else alive or deleted):
                found.append(subject)
        return sorted(found)

    def versions(self, subject: str, *, deleted: bool = False, deleted_only: bool = False) -> list[Version]:
        """Oldest first. Raises 40401 if there are none."""
        versions = [
            version
            for _, version in sorted(self._subjects.get(subject, {}).items())
            if (version.deleted if deleted_only else deleted or not version.deleted)
        ]
        if not versions:
            raise errors.subject_not_found(subject)
        return versions

    def version(self, subject: str, number: int, *, deleted: bool = False) -> Version:
        """`number` -1 is the latest. Raises 40401, 40402."""
        versions = self.versions(subject, deleted=deleted)
        if number == -1:
            return versions[-1]
        for version in versions:
            if version.number == number:
                return version
        raise errors.version_not_found(number)

    def schema(self, schema_id: int) -> Schema:
        """Raises 40403."""
        if schema_id not in self._ids:
            raise errors.schema_not_found()
        return self._ids[schema_id]

    def by_guid(self, guid: str) -> tuple[int, Schema]:
        """Raises 40403."""
        for schema_id, schema in self._ids.items():
            if schema.guid == guid:
                return schema_id, schema
        raise errors.schema_not_found()

    def uses(self, schema_id: int, *, deleted: bool = False) -> Iterator[Version]:
        """The versions that are the schema with that id."""
        for versions in self._subjects.values():
            for version in versions.values():
                if version.id == schema_id and (deleted or not version.deleted):
                    yield version

    def all(self, *, prefix: str, deleted: bool, latest_only: bool) -> list[Version]:
        found: list[Version] = []
        for subject in self.subjects(prefix=prefix, deleted=deleted):
            versions = self.versions(subject, deleted=deleted)
            found += versions[-1:] if latest_only else versions
        return found

    def referenced_by(self, subject: str, number: int) -> list[int]:
        """The ids of schemas that refer to that version. Raises 40401, 40402."""
        version = self.version(subject, number, deleted=True)
        return sorted({one.id for one in self._referring(version)})

    def _referring(self, to: Version) -> Iterator[Version]:
        for versions in self._subjects.values():
            for version in versions.values():
                for one in version.schema.references:
                    if not version.deleted and one.subject == to.subject and one.version in (to.number, -1):
                        yield version

    def lookup(self, subject: str, schema: Schema, *, deleted: bool = False, normalize: bool = False) -> Version:
        """The version of the subject that is this schema. Raises 40401, 40403, 42201."""
        schema = self.checked(schema, normalize=normalize)[0]
        for version in reversed(self.versions(subject, deleted=deleted)):
            if version.schema == schema:
                return version
        raise errors.schema_not_found()

    # -- settings ---------------------------------------------------------------------------------------------------
    def level(self, subject: str | None, *, default_to_global: bool = True) -> str:
        """The compatibility level. Raises 40408 where only the subject's own will do and there is none."""
        own = self._settings.get(("CONFIG", subject))
        if own is not None:
            return own
        if subject is not None and not default_to_global:
            raise errors.no_subject_config(subject)
        return self._settings.get(("CONFIG", None), compatibility.DEFAULT_LEVEL)

    def set_level(self, subject: str | None, level: Any) -> Changes:
        if not isinstance(level, str) or level.upper() not in compatibility.LEVELS:
            raise errors.invalid_compatibility(level)
        return [setting_record(("CONFIG", subject, level.upper()))]

    def mode(self, subject: str | None, *, default_to_global: bool = True) -> str:
        """Raises 40409 where only the subject's own will do and there is none."""
        overriding = self._settings.get(("MODE", None))
        own = self._settings.get(("MODE", subject))
        if own is not None:
            return own
        if subject is not None and not default_to_global:
            raise errors.no_subject_mode(subject)
        return overriding or DEFAULT_MODE

    def set_mode(self, subject: str | None, mode: Any, *, force: bool) -> Changes:
        if mode not in MODES:
            raise errors.invalid_mode(mode)
        taken = self.subjects() if subject is None else [one for one in self.subjects() if one == subject]
        if mode == "IMPORT" and taken and not force:
            raise errors.not_permitted("Cannot import since found existing subjects")
        return [setting_record(("MODE", subject, str(mode)))]

    def delete_setting(self, kind: str, subject: str | None) -> Changes:
        return [setting_record((kind, subject, None))]

    def _writable(self, subject: str, *, importing: bool = False) -> None:
        if self._settings.get(("MODE", None)) == "READONLY_OVERRIDE":
            raise errors.not_permitted("Registry is in read-only mode")
        mode = self.mode(subject)
        if mode.startswith("READONLY"):
            raise errors.not_permitted(f"Subject {subject} is in read-only mode")
        if importing != (mode == "IMPORT"):
            raise errors.not_permitted(f"Subject {subject} is {'not ' if importing else ''}in import mode")

    # -- schemas ----------------------------------------------------------------------------------------------------
    def register(
        self, subject: str, schema: Schema, *, normalize: bool = False, schema_id: int = -1, number: int = -1
    ) -> tuple[Version, Changes]:
        """The version that the schema is or becomes. `schema_id` and `number` are given in mode IMPORT only.

        Raises 409, 42201, 42205.
        """
        schema, parsed = self.checked(schema, normalize=normalize)
        known = self._subjects.get(subject, {})
        alive = [version for _, version in sorted(known.items()) if not version.deleted]
        for version in reversed(alive):
            if version.schema == schema:
                return version, []
        importing = schema_id != -1
        self._writable(subject, importing=importing)
        if importing:
            if self._ids.get(schema_id, schema) != schema:
                raise errors.not_permitted(f"Overwrite new schema with id {schema_id} is not permitted.")
        else:
            problems = compatibility.incompatibilities(self.level(subject), schema.type, parsed, self._parsed(alive))
            if problems:
                raise errors.incompatible(subject, problems)
            schema_id = self._by_schema.get(schema, self._last_id + 1)
        version = Version(subject, max(known, default=0) + 1 if number < 1 else number, schema_id, schema)
        return version, [version_record(version)]

    def incompatible(self, subject: str, schema: Schema, number: int | None, *, normalize: bool = False) -> list[str]:
        """Why the schema may not follow that version of the subject, or, None, those that its level asks for.

        Raises 40401, 40402, 42201.
        """
        schema, parsed = self.checked(schema, normalize=normalize)
        level = self.level(subject)
        if number is None:
            earlier = self.versions(subject) if subject in self.subjects() else []
        else:
            earlier = [self.version(subject, number)]
        return compatibility.incompatibilities(level, schema.type, parsed, self._parsed(earlier))

    def delete_version(self, subject: str, number: int, *, permanent: bool) -> tuple[int, Changes]:
        """Raises 40401, 40402, 40406, 40407, 42205, 42206."""
        self._not_read_only(subject)
        if number == -1:
            number = self.version(subject, -1, deleted=permanent).number
        version = self.version(subject, number, deleted=True)
        if permanent:
            if not version.deleted:
                raise errors.version_not_soft_deleted(subject, number)
            return number, [forgotten_record(version)]
        if version.deleted:
            raise errors.version_soft_deleted(subject, number)
        self._unreferenced(version)
        return number, [version_record(_deleted(version))]

    def delete_subject(self, subject: str, *, permanent: bool) -> tuple[list[int], Changes]:
        """Raises 40401, 40404, 40405, 42205, 42206."""
        self._not_read_only(subject)
        versions = self.versions(subject, deleted=True)
        alive = [version for version in versions if not version.deleted]
        if permanent:
            if alive:
                raise errors.subject_not_soft_deleted(subject)
            return [version.number for version in versions], [forgotten_record(version) for version in versions]
        if not alive:
            raise errors.subject_soft_deleted(subject)
        for version in alive:
            self._unreferenced(version)
        changes = [version_record(_deleted(version)) for version in alive]
        changes += [
            setting_record((kind, subject, None)) for kind in ("CONFIG", "MODE") if (kind, subject) in self._settings
        ]
        return [version.number for version in alive], changes

    def checked(self, schema: Schema, *, normalize: bool = False) -> tuple[Schema, Any]:
        """The schema as it is kept, and what its text says. Raises 42201."""
        parsed = compatibility.parse(schema.type, schema.text, list(self._referenced(schema)))
        text = compatibility.normal_text(schema.type, schema.text, sort=normalize)
        return Schema(schema.type, text, schema.references), parsed

    def _parsed(self, versions: Sequence[Version]) -> list[tuple[Any, Any]]:
        return [(version.schema.type, self.checked(version.schema)[1]) for version in versions]

    def _referenced(self, schema: Schema, depth: int = 0) -> Iterator[tuple[str, str]]:
        """Names and texts of the schemas that one uses, each after those it uses itself."""
        if depth > 100:
            raise errors.invalid_schema("its references lead to themselves")
        for reference in schema.references:
            try:
                used = self.version(reference.subject, reference.version, deleted=True).schema
            except errors.RegistryError as error:
                raise errors.invalid_schema(f"no schema for reference {reference.name!r}: {error.message}") from error
            yield from self._referenced(used, depth + 1)
            yield reference.name, used.text

    def _unreferenced(self, version: Version) -> None:
        if any(True for _ in self._referring(version)):
            raise errors.reference_exists(version.subject, version.number)

    def _not_read_only(self, subject: str) -> None:
        if self.mode(subject).startswith("READONLY"):
            raise errors.not_permitted(f"Subject {subject} is in read-only mode")


def _deleted(version: Version) -> Version:
    return Version(version.subject, version.number, version.id, version.schema, deleted=True)
