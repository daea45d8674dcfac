"""Access control entries, and filters that choose some of them.

Source: `AclBinding`, `AclBindingFilter` and `ResourcePatternFilter` of Apache Kafka's clients.
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

from broker.security.operation import AclOperation
from broker.security.resource import ANY_NAME, PatternType, ResourceType


class AclPermission(IntEnum):
    """Code as it stands on the wire. ANY is for filters only."""

    ANY = 1
    DENY = 2
    ALLOW = 3


class Acl(NamedTuple):
    """One entry: who may, or may not, do what to which resources from where."""

    resource_type: ResourceType
    name: str
    """A whole name, `*`, or the beginning of names, by `pattern`."""
    pattern: PatternType
    """LITERAL or PREFIXED."""
    principal: str
    """`User:alice`; `User:*` is everybody."""
    host: str
    """An address, or `*`."""
    operation: AclOperation
    permission: AclPermission


class AclFilter(NamedTuple):
    """Chooses entries. None, and ANY of an enum, take all."""

    resource_type: ResourceType = ResourceType.ANY
    name: str | None = None
    pattern: PatternType = PatternType.ANY
    principal: str | None = None
    host: str | None = None
    operation: AclOperation = AclOperation.ANY
    permission: AclPermission = AclPermission.ANY

    def matches(self, acl: Acl) -> bool:
        return (
            self.resource_type in (ResourceType.ANY, acl.resource_type)
            and self.pattern_matches(acl)
            and self.principal in (None, acl.principal)
            and self.host in (None, acl.host)
            and self.operation in (AclOperation.ANY, acl.operation)
            and self.permission in (AclPermission.ANY, acl.permission)
        )

    def pattern_matches(self, acl: Acl) -> bool:
        if self.pattern not in (PatternType.ANY, PatternType.MATCH, acl.pattern):
            return False
        if self.name is None:
            return True
        if self.pattern is not PatternType.MATCH:
            return self.name == acl.name
        if acl.pattern is PatternType.PREFIXED:
            return self.name.startswith(acl.name)
        return acl.name in (self.name, ANY_NAME)
