"""SCRAM credentials that administrators have set, in memory and in one small file only its owner can read.

    <data>/scram-credentials.json   {"format": 1, "users": {name: {mechanism: {"salt": …, "stored_key": …, …}}}}

Bytes are in base64. There is no password in it, but who has it can try passwords against it, and can pose as the
server: hence its mode 0600. A change is on disk before it counts.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

from broker.errors import DataDirectoryError
from broker.files import write_atomically

if TYPE_CHECKING:
    from broker.security.scram_credential import ScramCredential

FORMAT = 1
MODE = 0o600

UserCredentials: TypeAlias = "Mapping[str, ScramCredential]"
"""By mechanism."""


class CredentialStore:
    """Owned by the broker state; used in the event loop's thread only."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._users: Mapping[str, UserCredentials] = MappingProxyType({})

    def load(self) -> None:
        """Raises DataDirectoryError."""
        if not self._path.exists():
            return
        try:
            content = json.loads(self._path.read_bytes())
            if content["format"] != FORMAT:
                raise ValueError(f"it has format {content['format']}, this broker reads format {FORMAT}")
            users = {
                user: {mechanism: decoded(fields) for mechanism, fields in credentials.items()}
                for user, credentials in content["users"].items()
            }
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise DataDirectoryError(
                f"{self._path} does not hold SCRAM credentials ({error}): restore it from a backup, or move it away "
                "and set the users' passwords anew"
            ) from error
        self._users = MappingProxyType(users)

    @property
    def users(self) -> Mapping[str, UserCredentials]:
        """All users and their credentials as they are now; later changes do not show."""
        return self._users

    def find(self, user: str, mechanism: str) -> ScramCredential | None:
        return self._users.get(user, {}).get(mechanism)

    def change(self, changes: Mapping[tuple[str, str], ScramCredential | None]) -> None:
        """Sets or, with None, removes credentials by (user, mechanism), all at once. Raises OSError; then nothing is
        changed."""
        users = {user: dict(credentials) for user, credentials in self._users.items()}
        for (user, mechanism), credential in changes.items():
            credentials = users.setdefault(user, {})
            if credential is None:
                credentials.pop(mechanism, None)
            else:
                credentials[mechanism] = credential
            if not credentials:
                del users[user]
        content = {
            "format": FORMAT,
            "users": {
                user: {mechanism: encoded(credential) for mechanism, credential in credentials.items()}
                for user, credentials in users.items()
            },
        }
        write_atomically(self._path, json.dumps(content).encode(), durable=True, mode=MODE)
        self._users = MappingProxyType(users)


def encoded(credential: ScramCredential) -> dict[str, str | int]:
    return {
        "salt": base64.b64encode(credential.salt).decode(),
        "stored_key": base64.b64encode(credential.stored_key).decode(),
        "server_key": base64.b64encode(credential.server_key).decode(),
        "iterations": credential.iterations,
    }


def decoded(fields: Mapping[str, str | int]) -> ScramCredential:
    from broker.security.scram_credential import ScramCredential  # late: hashing is loaded where it is needed

    return ScramCredential(
        salt=base64.b64decode(str(fields["salt"]), validate=True),
        stored_key=base64.b64decode(str(fields["stored_key"]), validate=True),
        server_key=base64.b64decode(str(fields["server_key"]), validate=True),
        iterations=int(fields["iterations"]),
    )
