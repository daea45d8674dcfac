"""Java's properties files, as `java.util.Properties` reads them."""

from __future__ import annotations

import pytest

from broker.settings.properties_file import read_properties


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a=b", [(1, "a", "b")]),
        ("  a : b c  ", [(1, "a", "b c")]),
        ("a b", [(1, "a", "b")]),
        ("a", [(1, "a", "")]),
        ("a=", [(1, "a", "")]),
        ("a=b=c", [(1, "a", "b=c")]),
        ("# no\n! no\n\na=b", [(4, "a", "b")]),
        ("a=b,\\\n   c\nd=e", [(1, "a", "b,c"), (3, "d", "e")]),
        ("a=b\\\\\nc=d", [(1, "a", "b\\"), (2, "c", "d")]),
        (r"a\=b=c\td\u00e9", [(1, "a=b", "c\tdé")]),
        ("a=b\\", [(1, "a", "b")]),
    ],
)
def test_line_of_properties_is_read_as_java_does(text: str, found: list[tuple[int, str, str]]) -> None:
    assert list(read_properties(text)) == found
