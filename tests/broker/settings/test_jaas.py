"""JAAS entries in Kafka's properties."""

from __future__ import annotations

import pytest

from broker.settings.jaas import plain_users

MODULE = "org.apache.kafka.common.security.plain.PlainLoginModule"


@pytest.mark.parametrize(
    ("options", "users"),
    [
        ("", {}),
        ('username="broker" password="secret"', {}),
        ('user_ann="a" user_bob=b', {"ann": "a", "bob": "b"}),
        ('user_ann = "a; \\" = b"\n  user_bob=\'it "is"\'', {"ann": 'a; " = b', "bob": 'it "is"'}),
    ],
)
def test_users_of_plain_are_those_of_its_options(options: str, users: dict[str, str]) -> None:
    assert plain_users(f"{MODULE} required {options};") == users


@pytest.mark.parametrize(
    "text",
    [
        "",
        f"{MODULE} required user_a=hunter2",
        f"{MODULE} user_a=hunter2;",
        f"{MODULE} required user_a hunter2;",
        f'{MODULE} required user_a="hunter2;',
        "org.example.Other required user_a=hunter2;",
    ],
)
def test_entry_that_is_none_is_refused_without_what_it_holds(text: str) -> None:
    with pytest.raises(ValueError, match=r"expected MODULE required|is not PlainLoginModule") as raised:
        plain_users(text)
    assert "hunter2" not in str(raised.value)
