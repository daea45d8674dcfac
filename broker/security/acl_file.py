"""The entries on disk: `<data>/acls.json`, replaced as a whole.

{"format": 1, "acls": [{"resource_type": "TOPIC", "name": …, "pattern": "LITERAL", "principal": "User:alice",
                        "host": "*", "operation": "READ", "permission": "ALLOW"}, …]}
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from broker.errors import DataDirectoryError
from broker.files import write_atomically
from broker.security.acl import Acl, AclPermission
from broker.security.operation import AclOperation
from broker.security.resource import PatternType, ResourceType

FORMAT = 1


class AclFile:
    """Always made durable: an entry that was removed must not come back with the power."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def load(self) -> list[Acl]:
        """Empty if there is no file yet. Raises DataDirectoryError: with damaged entries nobody is let in."""
        try:
            content = json.loads(self.path.read_bytes())
            if content["format"] != FORMAT:
                raise ValueError(f"it has format {content['format']}, this broker reads {FORMAT}")
            return [read(line) for line in content["acls"]]
        except FileNotFoundError:
            return []
        except (ValueError, KeyError, TypeError) as error:
            raise DataDirectoryError(
                f"{self.path} does not hold access control lists ({error}): restore it from a backup, or move it away "
                "to start without any"
            ) from error

    def save(self, acls: Iterable[Acl]) -> None:
        """Raises OSError; the file is then as it was."""
        content = {"format": FORMAT, "acls": [written(acl) for acl in acls]}
        write_atomically(self.path, json.dumps(content, indent=1).encode(), durable=True)


def read(line: dict[str, str]) -> Acl:
    return Acl(
        ResourceType[line["resource_type"]],
        str(line["name"]),
        PatternType[line["pattern"]],
        str(line["principal"]),
        str(line["host"]),
        AclOperation[line["operation"]],
        AclPermission[line["permission"]],
    )


def written(acl: Acl) -> dict[str, str]:
    return {
        "resource_type": acl.resource_type.name,
        "name": acl.name,
        "pattern": acl.pattern.name,
        "principal": acl.principal,
        "host": acl.host,
        "operation": acl.operation.name,
        "permission": acl.permission.name,
    }
