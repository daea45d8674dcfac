"""The demo's directory: reused, refused, deleted."""

from __future__ import annotations

from pathlib import Path

import pytest

from streams import ConfigError
from streams.demo.manifest import Manifest, prepare_directory

MANIFEST = Manifest(flights="abc", partitions=4)


def test_prepare_directory_new_then_again_goes_on(tmp_path: Path) -> None:
    """The second run finds the first one's data."""
    directory = tmp_path / "a" / "demo"
    assert prepare_directory(directory, MANIFEST, fresh=False) is False
    (directory / "broker").mkdir()
    assert prepare_directory(directory, MANIFEST, fresh=False) is True
    assert (directory / "broker").exists()


def test_prepare_directory_fresh_deletes_an_earlier_demo(tmp_path: Path) -> None:
    """--fresh starts from nothing."""
    directory = tmp_path / "demo"
    prepare_directory(directory, MANIFEST, fresh=False)
    (directory / "broker").mkdir()
    other = Manifest(flights="abc", partitions=2)
    assert prepare_directory(directory, other, fresh=True) is False
    assert not (directory / "broker").exists()
    assert prepare_directory(directory, other, fresh=False) is True


@pytest.mark.parametrize("other", [Manifest(flights="abc", partitions=2), Manifest(flights="xyz", partitions=4)])
def test_prepare_directory_other_demo_is_not_mixed_in(tmp_path: Path, other: Manifest) -> None:
    """Other flights or partitions need a directory of their own."""
    prepare_directory(tmp_path, MANIFEST, fresh=False)
    with pytest.raises(ConfigError, match="--fresh"):
        prepare_directory(tmp_path, other, fresh=False)


@pytest.mark.parametrize("fresh", [True, False])
def test_prepare_directory_foreign_files_are_never_touched(tmp_path: Path, fresh: bool) -> None:
    """A directory that a demo did not make is refused, with --fresh above all."""
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(ConfigError, match="was not made by a demo"):
        prepare_directory(tmp_path, MANIFEST, fresh=fresh)
    assert (tmp_path / "thesis.tex").exists()
