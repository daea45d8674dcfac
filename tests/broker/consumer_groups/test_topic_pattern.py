"""Regular expressions over topic names: RE2's syntax, whole names, time that does not explode."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.consumer_groups.pattern_syntax import PatternError
from broker.consumer_groups.topic_pattern import compile_pattern


@pytest.mark.parametrize(
    ("regex", "name", "matches"),
    [
        ("topic", "topic", True),
        ("topic", "topic-1", False),
        ("^topic", "topic-1", False),
        ("^topic.*", "topic-1", True),
        ("^topic.*$", "topic-1", True),
        ("a|b", "b", True),
        ("a|bc", "ac", False),
        ("(a|b)*", "abba", True),
        ("(a|b)*", "", True),
        ("a+?b??", "aa", True),
        ("a{2}", "aa", True),
        ("a{2}", "a", False),
        ("a{2,}", "aaaa", True),
        ("a{1,2}", "aaa", False),
        ("a{,2}", "a{,2}", True),
        ("a{x", "a{x", True),
        ("[a-c]+", "abc", True),
        ("[^a-c]+", "xyz", True),
        ("[^a-c]+", "xay", False),
        ("[]a]+", "]a", True),
        ("[a-]+", "a-", True),
        ("[\\d_]+", "1_2", True),
        ("[[:alpha:]]+[[:^alpha:]]", "ab1", True),
        (r"orders\.v\d+", "orders.v12", True),
        (r"orders\.v\d+", "orders-v12", False),
        (r"\w+\W\w+", "a-b", True),
        (r"\Qa.b\E+", "a.b+", False),
        (r"\Qa.b\E+", "a.bb", True),
        (r"\Qa.b\E", "a.b", True),
        (r"\Qa.b", "a.b", True),
        (r"\pL+\p{Nd}", "ab1", True),
        (r"\PL\p{^L}", "1-", True),
        (r"\p{Latin}+", "ab", True),
        (r"\x61\x{62}\143", "abc", True),
        (r"\Aa\z", "a", True),
        (r"a\b-b", "a-b", True),
        (r"a\Bb", "ab", True),
        (r"a\bb", "ab", False),
        ("(?i)TOPIC", "topic", True),
        ("(?i:T)opic", "topic", True),
        ("(?i:T)OPIC", "topic", False),
        ("(?:a(?i)b)c", "aBc", True),
        ("(?:a(?i)b)c", "aBC", False),
        ("(?i-s)[A]", "a", True),
        ("(?P<name>a)(?<other>b)", "ab", True),
        ("a$b", "ab", False),
        ("é.*", "e", False),
    ],
)
def test_expression_matches_as_in_re2(regex: str, name: str, matches: bool) -> None:
    assert compile_pattern(regex).matches(name) is matches


@pytest.mark.parametrize(
    "regex",
    [
        "(a",
        "a)",
        "[a",
        "[b-a]",
        "*a",
        "a**",
        "a++",
        "a{1001}",
        "a{2,1}",
        "((a{100}){100}){100}",
        "(?=a)",
        "(?!a)",
        "(?<=a)",
        "(?<!a)",
        r"(a)\1",
        r"\y",
        "a\\",
        r"\p{Nope}",
        "[[:nope:]]",
        "(?P<>a)",
        "(?P<a",
        "(?",
        r"\xg1",
        "(" * 200 + ")" * 200,
    ],
)
def test_expression_that_re2_does_not_take_is_refused(regex: str) -> None:
    with pytest.raises(PatternError):
        compile_pattern(regex)


def test_catastrophic_expression_takes_no_time() -> None:
    """Python's `re` would need longer than the universe has been there."""
    start = time.monotonic()
    assert not compile_pattern("(a*)*(a|aa)+(.*a){20}b").matches("a" * 249)
    assert time.monotonic() - start < 5


LETTERS = st.sampled_from(["a", "b", "-", ".", "[ab]", "[^a]", "\\w", "\\d", "^", "$", "\\b"])
EXPRESSIONS = st.recursive(
    LETTERS,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map("".join),
        st.tuples(inner, inner).map(lambda two: f"(?:{two[0]}|{two[1]})"),
        st.tuples(inner, st.sampled_from(["*", "+", "?", "{2}", "{1,3}", "*?"])).map(
            lambda two: f"(?:{two[0]}){two[1]}"
        ),
    ),
    max_leaves=6,
)


@given(EXPRESSIONS, st.text("ab-.1", max_size=6))
def test_expression_matches_what_python_matches(regex: str, name: str) -> None:
    """Where both know the syntax, they agree."""
    assert compile_pattern(regex).matches(name) is (re.fullmatch(regex, name) is not None)
