"""Slots: who is who among the workers of one state directory."""

from __future__ import annotations

from pathlib import Path

import pytest

from streams.errors import ConfigError, StateError
from streams.runtime.slot import Slot


def test_slot_lowest_free_number_is_taken(tmp_path: Path) -> None:
    first, second = Slot.claim(tmp_path), Slot.claim(tmp_path)
    assert (first.number, second.number) == (0, 1)
    first.close()
    assert Slot.claim(tmp_path).number == 0


def test_slot_same_place_has_the_same_name_again(tmp_path: Path) -> None:
    first = Slot.claim(tmp_path / "a")
    name = first.instance_id("app")
    assert Slot.claim(tmp_path / "b").instance_id("app") != name
    assert Slot.claim(tmp_path / "a").instance_id("app") != name
    first.close()
    assert Slot.claim(tmp_path / "a").instance_id("app") == name


def test_slot_held_by_another_is_refused(tmp_path: Path) -> None:
    held = Slot.claim(tmp_path, 3)
    with pytest.raises(ConfigError, match=r"slot 3 .* is taken"):
        Slot.claim(tmp_path, 3)
    held.close()


def test_slot_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StateError, match="cannot be written"):
        Slot.claim(tmp_path / "file" / "state")
