"""The rules: what a set of entries allows, against an oracle that looks at each of them, one sentence at a time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broker import BrokerError, BrokerOptions
from broker.security.acl import Acl, AclFilter, AclPermission
from broker.security.acl_file import AclFile
from broker.security.acl_index import AclIndex
from broker.security.authorizer import Authorizer, open_authorizer
from broker.security.operation import AclOperation as Op
from broker.security.principal import ANONYMOUS, Principal
from broker.security.resource import PatternType, ResourceType

ALICE = Principal("User", "alice")
HOST = "/10.0.0.1"
OPERATIONS = [operation for operation in Op if operation not in (Op.ANY, Op.ALL)]

names = st.sampled_from(["a", "ab", "abc", "b", "ba", "*", "ab*"])
types = st.sampled_from([ResourceType.TOPIC, ResourceType.GROUP])
acls = st.builds(
    Acl,
    types,
    names,
    st.sampled_from([PatternType.LITERAL, PatternType.PREFIXED]),
    st.sampled_from(["User:alice", "User:bob", "User:*", "Group:alice"]),
    st.sampled_from(["*", "10.0.0.1", "10.0.0.2"]),
    st.sampled_from([Op.ALL, Op.READ, Op.WRITE, Op.DESCRIBE, Op.ALTER, Op.ALTER_CONFIGS, Op.DESCRIBE_CONFIGS]),
    st.sampled_from([AclPermission.DENY, AclPermission.ALLOW]),
)
filters = st.builds(
    AclFilter,
    st.one_of(st.just(ResourceType.ANY), types),
    st.one_of(st.none(), names),
    st.sampled_from(list(PatternType)),
    st.sampled_from([None, "User:alice", "User:*"]),
    st.sampled_from([None, "*", "10.0.0.1"]),
    st.sampled_from([Op.ANY, Op.ALL, Op.READ]),
    st.sampled_from(list(AclPermission)),
)


def speaks_of(acl: Acl, kind: ResourceType, name: str) -> bool:
    if acl.resource_type is not kind:
        return False
    if acl.pattern is PatternType.PREFIXED:
        return name.startswith(acl.name)
    return acl.name == "*" or acl.name == name


def concerns(acl: Acl, principal: str, host: str) -> bool:
    return acl.principal in (principal, "User:*") and acl.host in (host, "*")


def covers(acl: Acl, operation: Op) -> bool:
    if acl.operation in (Op.ALL, operation):
        return True
    if acl.permission is AclPermission.DENY:
        return False
    if operation is Op.DESCRIBE:
        return acl.operation in (Op.READ, Op.WRITE, Op.DELETE, Op.ALTER)
    return operation is Op.DESCRIBE_CONFIGS and acl.operation is Op.ALTER_CONFIGS


def oracle(entries: list[Acl], principal: str, host: str, operation: Op, kind: ResourceType, name: str) -> bool | None:
    about = [acl for acl in entries if speaks_of(acl, kind, name)]
    fitting = [acl for acl in about if concerns(acl, principal, host) and covers(acl, operation)]
    if any(acl.permission is AclPermission.DENY for acl in fitting):
        return False
    if fitting:
        return True
    return False if about else None


@settings(max_examples=400, deadline=None)
@given(st.lists(acls, max_size=6), st.sampled_from(OPERATIONS), types, names)
def test_decision_is_what_the_oracle_says(entries: list[Acl], operation: Op, kind: ResourceType, name: str) -> None:
    index = AclIndex(entries)
    assert index.decide("User:alice", "10.0.0.1", operation, kind, name) == oracle(
        entries, "User:alice", "10.0.0.1", operation, kind, name
    )


def naive_any(entries: list[Acl], operation: Op, kind: ResourceType) -> bool:
    """Kafka's words: some allowed pattern that no denied one covers."""
    mine = [
        acl
        for acl in entries
        if acl.resource_type is kind
        and concerns(acl, "User:alice", "10.0.0.1")
        and acl.operation in (operation, Op.ALL)
    ]
    denied = [acl for acl in mine if acl.permission is AclPermission.DENY]
    if any(acl.pattern is PatternType.LITERAL and acl.name == "*" for acl in denied):
        return False
    for allowed in mine:
        if allowed.permission is AclPermission.DENY:
            continue
        if allowed.pattern is PatternType.LITERAL and allowed.name == "*":
            return True
        if any(d.pattern is PatternType.PREFIXED and allowed.name.startswith(d.name) for d in denied):
            continue
        if allowed.pattern is PatternType.LITERAL and any(
            d.pattern is PatternType.LITERAL and d.name == allowed.name for d in denied
        ):
            continue
        return True
    return False


@settings(max_examples=400, deadline=None)
@given(st.lists(acls, max_size=6), st.sampled_from([Op.READ, Op.WRITE, Op.DESCRIBE]), types)
def test_decision_about_any_resource_is_what_the_oracle_says(
    entries: list[Acl], operation: Op, kind: ResourceType
) -> None:
    assert AclIndex(entries).decide_any("User:alice", "10.0.0.1", operation, kind) == naive_any(
        entries, operation, kind
    )


def chosen(wanted: AclFilter, acl: Acl) -> bool:
    """KIP-290: MATCH takes every pattern that a resource of the name falls under."""
    if wanted.resource_type is not ResourceType.ANY and wanted.resource_type is not acl.resource_type:
        return False
    if wanted.name is None:
        named = wanted.pattern in (PatternType.ANY, PatternType.MATCH, acl.pattern)
    elif wanted.pattern is PatternType.MATCH:
        named = speaks_of(acl, acl.resource_type, wanted.name)
    else:
        named = acl.name == wanted.name and wanted.pattern in (PatternType.ANY, acl.pattern)
    return (
        named
        and (wanted.principal is None or wanted.principal == acl.principal)
        and (wanted.host is None or wanted.host == acl.host)
        and (wanted.operation is Op.ANY or wanted.operation is acl.operation)
        and (wanted.permission is AclPermission.ANY or wanted.permission is acl.permission)
    )


@settings(max_examples=400, deadline=None)
@given(filters, acls)
def test_filter_chooses_what_the_oracle_says(wanted: AclFilter, acl: Acl) -> None:
    assert wanted.matches(acl) == chosen(wanted, acl)


steps = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.lists(acls, max_size=3)),
        st.tuples(st.just("remove"), filters),
        st.tuples(st.just("ask"), st.tuples(st.sampled_from(OPERATIONS), types, names)),
    ),
    max_size=12,
)


@settings(max_examples=150, deadline=None)
@given(steps=steps, allow_unmentioned=st.booleans())
def test_authorizer_remembers_no_decision_longer_than_its_entries(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, Any]], allow_unmentioned: bool
) -> None:
    """Asked between changes it says what the entries say now, and so does one that reads them from the disk."""
    file = AclFile(tmp_path_factory.mktemp("acls") / "acls.json")
    authorizer = Authorizer(file, allow_unmentioned=allow_unmentioned)
    entries: list[Acl] = []
    for what, value in steps:
        if what == "add":
            authorizer.add(value)
            entries += [acl for acl in dict.fromkeys(value) if acl not in entries]
        elif what == "remove":
            authorizer.remove(authorizer.matching(value))
            entries = [acl for acl in entries if not chosen(value, acl)]
        else:
            expected = oracle(entries, "User:alice", "10.0.0.1", *value)
            answer = allow_unmentioned if expected is None else expected
            assert authorizer.allows(ALICE, HOST, *value) == answer
            assert authorizer.allows(ALICE, HOST, *value) == answer
        assert authorizer.matching(AclFilter()) == entries
    reread = Authorizer(file)
    reread.load()
    assert reread.matching(AclFilter()) == entries


def test_super_users_may_do_what_is_denied(tmp_path: Path) -> None:
    authorizer = Authorizer(AclFile(tmp_path / "acls.json"), super_users=["User:alice"])
    everybody = Acl(ResourceType.TOPIC, "*", PatternType.LITERAL, "User:*", "*", Op.ALL, AclPermission.DENY)
    authorizer.add([everybody])
    assert authorizer.allows(ALICE, HOST, Op.READ, ResourceType.TOPIC, "t")
    assert authorizer.allows_any(ALICE, HOST, Op.WRITE, ResourceType.TOPIC)
    assert not authorizer.allows(ANONYMOUS, HOST, Op.READ, ResourceType.TOPIC, "t")


def test_kinds_of_principals_are_told_apart(tmp_path: Path) -> None:
    authorizer = Authorizer(AclFile(tmp_path / "acls.json"))
    authorizer.add([Acl(ResourceType.TOPIC, "t", PatternType.LITERAL, "User:alice", "*", Op.READ, AclPermission.ALLOW)])
    assert authorizer.allows(ALICE, HOST, Op.READ, ResourceType.TOPIC, "t")
    assert not authorizer.allows(Principal("Group", "alice"), HOST, Op.READ, ResourceType.TOPIC, "t")


def test_decisions_of_many_names_do_not_pile_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names come from clients: what is remembered of them has an end."""
    monkeypatch.setattr("broker.security.authorizer.MAX_DECISIONS", 10)
    authorizer = Authorizer(AclFile(tmp_path / "acls.json"))
    for number in range(100):
        assert not authorizer.allows(ALICE, HOST, Op.READ, ResourceType.TOPIC, f"t{number}")
        assert len(authorizer.decisions) <= 10


@pytest.mark.parametrize("user", ["alice", "User:", ":alice", ""])
def test_super_users_that_are_no_principals_are_refused_at_the_start(tmp_path: Path, user: str) -> None:
    options = BrokerOptions(authorizer=True, super_users=(user,))
    with pytest.raises(BrokerError, match=r"super_users: .*User:"):
        open_authorizer(options, AclFile(tmp_path / "acls.json"))
