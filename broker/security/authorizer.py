"""Decides what a principal may do.

Super users may do everything. Otherwise a DENY entry that fits wins over every ALLOW entry; without an entry that fits
nothing is allowed, but for resources that no entry speaks of where `allow.everyone.if.no.acl.found` says so.

Source: `StandardAuthorizer` of Apache Kafka.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from broker.errors import BrokerError
from broker.security.acl import Acl, AclFilter
from broker.security.acl_file import AclFile
from broker.security.acl_index import AclIndex
from broker.security.operation import AclOperation
from broker.security.resource import ResourceType

if TYPE_CHECKING:
    from broker.options import BrokerOptions
    from broker.security.principal import Principal

LOG = logging.getLogger("broker.authorizer")
KAFKA_CLASS = "org.apache.kafka.metadata.authorizer.StandardAuthorizer"
"""What Kafka calls an authorizer that does what this one does."""
MAX_DECISIONS = 65_536
"""How many answers are kept; names come from clients, so there must be an end."""
PROBE = "hardcode"
"""The name Kafka asks for to find out whether somebody may do a thing everywhere."""


class Authorizer:
    """Owns the entries. Used in the event loop's thread only."""

    def __init__(self, file: AclFile, *, super_users: Collection[str] = (), allow_unmentioned: bool = False) -> None:
        """`super_users` as principals' texts; `allow_unmentioned`: resources that no entry speaks of are open."""
        self.file = file
        self.super_users = frozenset(super_users)
        self.allow_unmentioned = allow_unmentioned
        self.acls: dict[Acl, None] = {}
        """In order of creation."""
        self.index = AclIndex(())
        self.revision = 0
        """Another one whenever the entries have changed."""
        self.decisions: dict[tuple[Principal, str, AclOperation, ResourceType, str], bool] = {}
        """What was asked since the entries last changed. Produce and Fetch ask for each topic of each request."""

    def load(self) -> None:
        """Reads the entries. Raises DataDirectoryError."""
        self.replace(dict.fromkeys(self.file.load()))

    # -- questions ---------------------------------------------------------------------------------------------------
    def allows(
        self,
        principal: Principal,
        client_host: str,
        operation: AclOperation,
        resource_type: ResourceType,
        name: str,
        *,
        audited: bool = True,
    ) -> bool:
        """`client_host` as Kafka prints it: "/127.0.0.1". `audited`: a refusal is worth a line in the log."""
        question = (principal, client_host, operation, resource_type, name)
        allowed = self.decisions.get(question)
        if allowed is None:
            if len(self.decisions) >= MAX_DECISIONS:
                self.decisions.clear()
            allowed = self.decisions[question] = self.decide(*question)
        if not allowed and audited:
            LOG.info(
                "%s at %s was refused %s on %s %s", principal, client_host, operation.name, resource_type.name, name
            )
        return allowed

    def decide(
        self, principal: Principal, client_host: str, operation: AclOperation, resource_type: ResourceType, name: str
    ) -> bool:
        who = str(principal)
        if who in self.super_users:
            return True
        decision = self.index.decide(who, client_host.lstrip("/"), operation, resource_type, name)
        return self.allow_unmentioned if decision is None else decision

    def allows_any(
        self, principal: Principal, client_host: str, operation: AclOperation, resource_type: ResourceType
    ) -> bool:
        """Whether the operation is allowed on at least one resource of the type that may exist."""
        if self.allows(principal, client_host, operation, resource_type, PROBE, audited=False):
            return True
        return self.index.decide_any(str(principal), client_host.lstrip("/"), operation, resource_type)

    # -- entries -----------------------------------------------------------------------------------------------------
    def matching(self, wanted: AclFilter) -> list[Acl]:
        """The entries a filter chooses, in order of creation."""
        return [acl for acl in self.acls if wanted.matches(acl)]

    def add(self, acls: Iterable[Acl]) -> None:
        """Durable when it returns; what is there already stays. Raises OSError: nothing changed then."""
        self.change(self.acls | dict.fromkeys(acls))

    def remove(self, acls: Iterable[Acl]) -> None:
        """Durable when it returns. Raises OSError: nothing changed then."""
        gone = frozenset(acls)
        self.change({acl: None for acl in self.acls if acl not in gone})

    def change(self, acls: dict[Acl, None]) -> None:
        if acls.keys() != self.acls.keys():
            self.file.save(acls)
            self.replace(acls)

    def replace(self, acls: dict[Acl, None]) -> None:
        self.acls = acls
        self.revision += 1
        self.index = AclIndex(acls)
        self.decisions.clear()


def open_authorizer(options: BrokerOptions, file: AclFile) -> Authorizer:
    """With the entries that are stored. Raises BrokerError for super users that are none, DataDirectoryError."""
    for user in options.super_users:
        kind, colon, name = user.partition(":")
        if not (kind and colon and name):
            raise BrokerError(f"super_users: {user!r} is no principal; write it as User:{user or 'name'}")
    authorizer = Authorizer(
        file, super_users=options.super_users, allow_unmentioned=options.allow_everyone_if_no_acl_found
    )
    authorizer.load()
    return authorizer
