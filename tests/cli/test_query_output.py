"""What `headrace query` prints on a terminal."""

from __future__ import annotations

import pytest

from streams.cli.query_output import print_rows


def test_store_without_rows_is_said_to_have_none(capsys: pytest.CaptureFixture[str]) -> None:
    """On a terminal: silence would look like a command that has not worked. A pipe gets no line."""
    print_rows([], as_json=False)
    assert capsys.readouterr() == ("", "no rows\n")
    print_rows([], as_json=True)
    assert capsys.readouterr() == ("", "")
