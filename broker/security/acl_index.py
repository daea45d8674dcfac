"""Finds the entries that speak of a resource without looking at all of them, and decides by them.

Source: `StandardAuthorizerData` of Apache Kafka.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from broker.security.acl import Acl, AclPermission
from broker.security.operation import ALLOWED_BY, AclOperation
from broker.security.resource import ANY_NAME, PatternType, ResourceType

EVERYBODY = "User:*"


class AclIndex:
    """The entries by resource. Built anew when they change: that is rare, and questions are not."""

    def __init__(self, acls: Iterable[Acl]) -> None:
        self.literal: dict[tuple[ResourceType, str], list[Acl]] = {}
        self.prefixed: dict[tuple[ResourceType, str], list[Acl]] = {}
        lengths: dict[ResourceType, set[int]] = {}
        for acl in acls:
            if acl.pattern is PatternType.LITERAL:
                self.literal.setdefault((acl.resource_type, acl.name), []).append(acl)
            else:
                self.prefixed.setdefault((acl.resource_type, acl.name), []).append(acl)
                lengths.setdefault(acl.resource_type, set()).add(len(acl.name))
        self.prefix_lengths = {kind: sorted(found) for kind, found in lengths.items()}

    def of_resource(self, resource_type: ResourceType, name: str) -> Iterator[Acl]:
        """All entries whose pattern the resource falls under."""
        yield from self.literal.get((resource_type, name), ())
        if name != ANY_NAME:
            yield from self.literal.get((resource_type, ANY_NAME), ())
        for length in self.prefix_lengths.get(resource_type, ()):
            if length > len(name):
                return
            yield from self.prefixed.get((resource_type, name[:length]), ())

    def decide(
        self, principal: str, host: str, operation: AclOperation, resource_type: ResourceType, name: str
    ) -> bool | None:
        """Whether the entries allow it; None: none speaks of the resource, whoever asks for whatever."""
        spoken_of = allowed = False
        for acl in self.of_resource(resource_type, name):
            spoken_of = True
            if acl.principal not in (principal, EVERYBODY) or acl.host not in (host, ANY_NAME):
                continue
            if acl.permission is AclPermission.DENY:
                if acl.operation in (operation, AclOperation.ALL):
                    return False
            elif acl.operation in ALLOWED_BY[operation]:
                allowed = True
        return allowed if spoken_of else None

    def decide_any(self, principal: str, host: str, operation: AclOperation, resource_type: ResourceType) -> bool:
        """Whether the entries allow it on some resource of the type that may exist, known or not.

        As in Kafka (`Authorizer.authorizeByResourceType`), operations imply nothing here, and an allowed prefix counts
        unless the prefix itself is denied, even where all names under it are denied one by one.
        """
        allowed: list[Acl] = []
        denied: set[tuple[PatternType, str]] = set()
        for patterns in (self.literal, self.prefixed):
            for (kind, _), acls in patterns.items():
                if kind is not resource_type:
                    continue
                for acl in acls:
                    if (
                        acl.principal not in (principal, EVERYBODY)
                        or acl.host not in (host, ANY_NAME)
                        or acl.operation not in (operation, AclOperation.ALL)
                    ):
                        continue
                    if acl.permission is AclPermission.ALLOW:
                        allowed.append(acl)
                    else:
                        denied.add((acl.pattern, acl.name))
        if (PatternType.LITERAL, ANY_NAME) in denied:
            return False
        return any(not self.overruled(acl, denied) for acl in allowed)

    @staticmethod
    def overruled(acl: Acl, denied: set[tuple[PatternType, str]]) -> bool:
        """Whether denials cover all that an entry allows."""
        if acl.pattern is PatternType.LITERAL:
            if acl.name == ANY_NAME:
                return False
            if (PatternType.LITERAL, acl.name) in denied:
                return True
        return any((PatternType.PREFIXED, acl.name[:length]) in denied for length in range(1, len(acl.name) + 1))
