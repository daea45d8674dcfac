"""Users of a file: NAME=PASSWORD on each line."""

from __future__ import annotations

from pathlib import Path

import pytest

from broker import BrokerError, Sasl


def test_users_of_the_file_come_to_those_of_the_settings(tmp_path: Path) -> None:
    file = tmp_path / "users"
    file.write_text("# of the shop\n\nann = a = b, c \nbob=b\n")
    sasl = Sasl(users={"ann": "before", "eve": "e"}, users_file=file)
    assert sasl.passwords() == {"ann": "a = b, c", "bob": "b", "eve": "e"}


def test_line_that_is_none_is_named_without_what_it_holds(tmp_path: Path) -> None:
    file = tmp_path / "users"
    file.write_text("ann=a\nhunter2\n")
    with pytest.raises(BrokerError, match=r"line 2 of the SASL users_file .*users is not NAME=PASSWORD") as raised:
        Sasl(users_file=file).passwords()
    assert "hunter2" not in str(raised.value)


def test_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BrokerError, match=r"cannot read the SASL users_file .*none: No such file"):
        Sasl(users_file=tmp_path / "none").passwords()
