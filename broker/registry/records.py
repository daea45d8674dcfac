"""The records of `_schemas`, in Confluent's layout: JSON as keys and values.

    {"keytype": "SCHEMA", "subject": s, "version": n, "magic": 1}  →  {"subject", "version", "id", "schema", "deleted"…}
    {"keytype": "CONFIG", "subject": s or null, "magic": 0}        →  {"compatibilityLevel": …}
    {"keytype": "MODE", "subject": s or null, "magic": 0}          →  {"mode": …}

A null value deletes. Keys of other types are passed over.
"""

from __future__ import annotations

import json
from typing import Any

from broker.journal.entry import KeyValue
from broker.registry.schema import Reference, Schema, Version

Setting = tuple[str, str | None, str | None]
"""("CONFIG" or "MODE", subject or None for all, value or None for none)."""


def version_record(version: Version) -> KeyValue:
    """A version of a subject, deleted or not."""
    schema = version.schema
    content: dict[str, Any] = {
        "subject": version.subject,
        "version": version.number,
        "id": version.id,
        "schema": schema.text,
        "deleted": version.deleted,
    }
    if schema.type != "AVRO":
        content["schemaType"] = schema.type
    if schema.references:
        content["references"] = [reference_body(one) for one in schema.references]
    return _version_key(version), _json(content)


def forgotten_record(version: Version) -> KeyValue:
    """A version that is deleted permanently."""
    return _version_key(version), None


def setting_record(setting: Setting) -> KeyValue:
    kind, subject, value = setting
    key = _json({"keytype": kind, "subject": subject, "magic": 0})
    return key, None if value is None else _json({"compatibilityLevel" if kind == "CONFIG" else "mode": value})


def read_record(key: bytes, value: bytes | None) -> Version | tuple[str, int] | Setting | None:
    """A version, the subject and number of one that is gone, a setting, or None for what means nothing here."""
    named: dict[str, Any] = json.loads(key)
    content: dict[str, Any] | None = None if value is None else json.loads(value)
    kind, subject = named.get("keytype"), named.get("subject")
    if kind == "SCHEMA":
        if content is None:
            return str(subject), int(named["version"])
        references = tuple(read_reference(one) for one in content.get("references") or ())
        schema = Schema(content.get("schemaType", "AVRO"), content["schema"], references)
        return Version(content["subject"], content["version"], content["id"], schema, content.get("deleted", False))
    if kind in ("CONFIG", "MODE"):
        told = None if content is None else content.get("compatibilityLevel" if kind == "CONFIG" else "mode")
        return str(kind), subject, told
    return None


def reference_body(reference: Reference) -> dict[str, Any]:
    return {"name": reference.name, "subject": reference.subject, "version": reference.version}


def read_reference(body: Any) -> Reference:
    """Raises KeyError, TypeError, ValueError."""
    return Reference(str(body["name"]), str(body["subject"]), int(body["version"]))


def _version_key(version: Version) -> bytes:
    return _json({"keytype": "SCHEMA", "subject": version.subject, "version": version.number, "magic": 1})


def _json(content: Any) -> bytes:
    return json.dumps(content, separators=(",", ":")).encode()
