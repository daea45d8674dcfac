"""ACLs and filters as the three ACL APIs have them on the wire."""

from __future__ import annotations

from enum import IntEnum
from typing import Any, Final, TypeVar

from broker.security.acl import Acl, AclFilter, AclPermission
from broker.security.operation import AclOperation
from broker.security.resource import CLUSTER_NAME, PatternType, ResourceType

CodeT = TypeVar("CodeT", bound=IntEnum)
NO_AUTHORIZER: Final = "No Authorizer is configured on the broker"


class InvalidAclError(Exception):
    """An ACL or filter that makes no sense, with a sentence that says why (INVALID_REQUEST)."""


def read_acl(line: Any) -> Acl:
    """The entry to create. Raises InvalidAclError."""
    acl = Acl(
        decode(ResourceType, line.resource_type, "resource type"),
        line.resource_name,
        decode(PatternType, line.resource_pattern_type, "pattern type"),
        line.principal,
        line.host,
        decode(AclOperation, line.operation, "operation"),
        decode(AclPermission, line.permission_type, "permission type"),
    )
    if acl.resource_type is ResourceType.ANY:
        raise InvalidAclError("An ACL names a type of resource, not any.")
    if acl.pattern not in (PatternType.LITERAL, PatternType.PREFIXED):
        raise InvalidAclError(f"The pattern type of an ACL is LITERAL or PREFIXED, not {acl.pattern.name}.")
    if acl.operation is AclOperation.ANY:
        raise InvalidAclError("An ACL names an operation, or ALL, not any.")
    if acl.permission is AclPermission.ANY:
        raise InvalidAclError("An ACL allows or denies, not any.")
    if not acl.name:
        raise InvalidAclError("Invalid empty resource name")
    if acl.resource_type is ResourceType.CLUSTER and acl.name != CLUSTER_NAME:
        raise InvalidAclError(f"The only valid name for the CLUSTER resource is {CLUSTER_NAME}")
    kind, _, name = acl.principal.partition(":")
    if not kind or not name:
        raise InvalidAclError(f"{acl.principal!r} is no principal: it has the form User:name.")
    if not acl.host:
        raise InvalidAclError("The host of an ACL is an address, or * for all.")
    return acl


def read_filter(line: Any) -> AclFilter:
    """Raises InvalidAclError."""
    return AclFilter(
        decode(ResourceType, line.resource_type_filter, "resource type"),
        line.resource_name_filter,
        decode(PatternType, line.pattern_type_filter, "pattern type"),
        line.principal_filter,
        line.host_filter,
        decode(AclOperation, line.operation, "operation"),
        decode(AclPermission, line.permission_type, "permission type"),
    )


def decode(kind: type[CodeT], code: int, what: str) -> CodeT:
    try:
        return kind(code)
    except ValueError:
        raise InvalidAclError(f"Unknown {what} {code}.") from None


def resource_fields(acl: Acl) -> dict[str, Any]:
    return {"resource_type": acl.resource_type, "resource_name": acl.name, "pattern_type": acl.pattern}


def entry_fields(acl: Acl) -> dict[str, Any]:
    return {
        "principal": acl.principal,
        "host": acl.host,
        "operation": acl.operation,
        "permission_type": acl.permission,
    }
