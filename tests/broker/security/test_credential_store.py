"""SCRAM credentials on disk."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from broker.errors import DataDirectoryError
from broker.security.credential_store import CredentialStore
from broker.security.scram_credential import ScramCredential

SHA_256, SHA_512 = "SCRAM-SHA-256", "SCRAM-SHA-512"


def credential(mechanism: str, password: str) -> ScramCredential:
    return ScramCredential.from_password(mechanism, password, os.urandom(16), 4_096)


def loaded(path: Path) -> CredentialStore:
    store = CredentialStore(path)
    store.load()
    return store


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "credentials.json"


def test_store_is_empty_without_a_file(path: Path) -> None:
    assert loaded(path).users == {}


def test_changes_are_there_after_a_restart(path: Path) -> None:
    store = loaded(path)
    first, second = credential(SHA_256, "wonder"), credential(SHA_512, "wonder")
    store.change({("alice", SHA_256): first, ("alice", SHA_512): second, ("zoë", SHA_256): first})
    store.change({("alice", SHA_256): None, ("zoë", SHA_256): None})
    for each in (store, loaded(path)):
        assert each.users == {"alice": {SHA_512: second}}
        assert each.find("alice", SHA_512) == second
        assert each.find("alice", SHA_256) is None


def test_file_is_for_its_owner_alone_and_holds_no_password(path: Path) -> None:
    (path.parent / ".writing.tmp").touch(mode=0o644)  # left behind by a crash
    loaded(path).change({("alice", SHA_256): credential(SHA_256, "wonder")})
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert b"wonder" not in path.read_bytes()


def test_change_that_cannot_be_stored_changes_nothing(tmp_path: Path) -> None:
    store = loaded(tmp_path / "missing" / "credentials.json")
    with pytest.raises(OSError):
        store.change({("alice", SHA_256): credential(SHA_256, "wonder")})
    assert store.users == {}


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"format": 2, "users": {}}', '{"format": 1, "users": {"a": {"SCRAM-SHA-256": {}}}}']
)
def test_damaged_file_is_named(path: Path, content: str) -> None:
    path.write_text(content)
    with pytest.raises(DataDirectoryError, match=r"credentials\.json does not hold SCRAM credentials"):
        loaded(path)
