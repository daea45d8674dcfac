"""Access control entries as commands take and show them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

import click

from streams.cli.failures import UsageFailed

Command = TypeVar("Command", bound=Callable[..., Any])

CLUSTER_NAME = "kafka-cluster"
EVERYTHING = "*"
OPERATIONS = (
    "all",
    "read",
    "write",
    "create",
    "delete",
    "alter",
    "describe",
    "cluster-action",
    "describe-configs",
    "alter-configs",
    "idempotent-write",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """What an entry is about. In a search, None stands for all kinds or names."""

    kind: str | None
    """topic, group, transactional-id or cluster; others as the broker calls them, in lower case."""
    name: str | None
    pattern: str
    """literal or prefixed; in a search also match (all patterns that the name falls under) and any."""

    @property
    def text(self) -> str:
        return f"{self.kind} {self.name}{EVERYTHING if self.pattern == 'prefixed' else ''}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AclEntry:
    """One entry. In a search, None stands for all principals, hosts, operations and permissions."""

    resource: Resource
    principal: str | None
    host: str | None
    operation: str | None
    """One of OPERATIONS."""
    permission: str | None
    """allow or deny."""

    @property
    def row(self) -> tuple[str, ...]:
        cells = (self.principal, self.permission, self.operation, self.resource.text, self.host)
        return tuple(str(cell) for cell in cells)

    @property
    def body(self) -> dict[str, str]:
        """For machines: flat."""
        fields = asdict(self)
        resource = fields.pop("resource")
        return {"resource": resource["kind"], "name": resource["name"], "pattern": resource["pattern"], **fields}


def resource_options(command: Command) -> Command:
    """`--topic`, `--group`, `--transactional-id`, `--cluster` and `--prefix`."""
    for option in (
        click.option("--prefix", is_flag=True, help="The names are the beginnings of names."),
        click.option("--cluster", is_flag=True, help="The cluster itself."),
        click.option("--transactional-id", "transactional_ids", metavar="ID", multiple=True, help="Repeatable."),
        click.option("--group", "groups", metavar="NAME", multiple=True, help="Repeatable; '*' for all."),
        click.option("--topic", "topics", metavar="NAME", multiple=True, help="Repeatable; '*' for all."),
    ):
        command = option(command)
    return command


def resources(
    topics: Sequence[str], groups: Sequence[str], transactional_ids: Sequence[str], cluster: bool, prefix: bool
) -> list[Resource]:
    """The resources that a command names. Raises UsageFailed for prefixes that are none."""
    named = [
        *(("topic", name) for name in topics),
        *(("group", name) for name in groups),
        *(("transactional-id", name) for name in transactional_ids),
    ]
    if prefix:
        if cluster or not named:
            raise UsageFailed("--prefix is for the names of topics, groups and transactional ids; give one of them")
        if any(name == EVERYTHING for _, name in named):
            raise UsageFailed("'*' with --prefix would mean names that begin with a star; for all, leave out --prefix")
    found = [Resource(kind=kind, name=name, pattern="prefixed" if prefix else "literal") for kind, name in named]
    if cluster:
        found.append(Resource(kind="cluster", name=CLUSTER_NAME, pattern="literal"))
    return found


def principal_text(principal: str) -> str:
    """`alice` is short for `User:alice`."""
    return principal if ":" in principal else f"User:{principal}"


def check_operation(operation: str, resource: Resource) -> None:
    """Raises UsageFailed for an operation that no request needs on such a resource: the entry would do nothing."""
    from broker.security.operation import SUPPORTED
    from broker.security.resource import ResourceType

    assert resource.kind is not None
    known = [
        one.name.lower().replace("_", "-") for one in SUPPORTED[ResourceType[resource.kind.replace("-", "_").upper()]]
    ]
    known = [one for one in known if one in OPERATIONS]
    if operation != "all" and operation not in known:
        raise UsageFailed(f"{operation!r} means nothing for a {resource.kind}; it has: all, {', '.join(known)}")
