"""The admin calls on access control entries: between our types and confluent-kafka's."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Any

from streams.cli.acl_entries import AclEntry, Resource
from streams.cli.clients import client_config, require_broker
from streams.cluster.admin import Admin
from streams.cluster.errors import ClusterError
from streams.discovery import BrokerLocation

CLUSTER = "BROKER"
"""What confluent-kafka calls Kafka's resource type CLUSTER."""

NO_AUTHORIZER = (
    "the broker keeps no access control entries: everybody may do everything. Start it with an authorizer (Kafka's "
    "setting authorizer.class.name)"
)


class AclAdmin(Admin):
    """Raises ClusterError where the broker refuses, does not answer or keeps no entries."""

    def __init__(self, location: BrokerLocation) -> None:
        require_broker(location)
        super().__init__(client_config(location))

    def find(self, wanted: AclEntry) -> list[AclEntry]:
        """The entries that fit."""
        found = self._settle({"acls": self._client.describe_acls(binding("AclBindingFilter", wanted))})["acls"]
        if not found:
            self._explain_nothing()
        return [entry(one) for one in found]

    def create(self, entries: Sequence[AclEntry]) -> None:
        with entries_kept():
            futures = self._client.create_acls([binding("AclBinding", one) for one in entries])
            self._settle({" ".join(entry(one).row): future for one, future in futures.items()})

    def delete(self, wanted: Sequence[AclEntry]) -> None:
        with entries_kept():
            futures = self._client.delete_acls([binding("AclBindingFilter", one) for one in wanted])
            self._settle({f"acls {number}": future for number, future in enumerate(futures.values(), 1)})

    def _explain_nothing(self) -> None:
        """Raises ClusterError where nothing is found because nothing is told: confluent-kafka drops that answer."""
        from confluent_kafka import admin

        kafka: Any = vars(admin)
        future = self._client.describe_cluster(include_authorized_operations=True)
        cluster = self._settle({"cluster": future})["cluster"]
        operations = cluster.authorized_operations or ()  # None stands for no operation, too
        if kafka["AclOperation"].DESCRIBE not in operations:
            raise ClusterError("you may not see entries: that needs the operation describe on the cluster")
        resource = kafka["ConfigResource"](kafka["ResourceType"].BROKER, str(cluster.nodes[0].id))
        try:
            configs = self._settle(self._client.describe_configs([resource]))[resource]
        except ClusterError:
            return  # may see the entries, but not this: there are none
        if "authorizer.class.name" in configs and not configs["authorizer.class.name"].value:
            raise ClusterError(NO_AUTHORIZER)


@contextmanager
def entries_kept() -> Generator[None]:
    """Names the cure where the broker has no authorizer."""
    from confluent_kafka import KafkaError

    try:
        yield
    except ClusterError as error:
        cause: Any = error.__cause__
        if getattr(cause, "args", ()) and cause.args[0].code() == KafkaError.SECURITY_DISABLED:
            raise ClusterError(NO_AUTHORIZER) from cause
        raise


def binding(kind: str, one: AclEntry) -> Any:
    """confluent-kafka's AclBinding or AclBindingFilter; None becomes ANY where it has an enum."""
    from confluent_kafka import admin

    kafka: Any = vars(admin)

    def member(enum: str, name: str | None) -> Any:
        return kafka[enum]["ANY" if name is None else name.upper().replace("-", "_")]

    resource = one.resource
    return kafka[kind](
        member("ResourceType", CLUSTER if resource.kind == "cluster" else resource.kind),
        resource.name,
        member("ResourcePatternType", resource.pattern),
        one.principal,
        one.host,
        member("AclOperation", one.operation),
        member("AclPermissionType", one.permission),
    )


def entry(found: Any) -> AclEntry:
    """From confluent-kafka's AclBinding."""
    kind = "cluster" if found.restype.name == CLUSTER else text(found.restype)
    return AclEntry(
        resource=Resource(kind=kind, name=found.name, pattern=text(found.resource_pattern_type)),
        principal=found.principal,
        host=found.host,
        operation=text(found.operation),
        permission=text(found.permission_type),
    )


def text(member: Any) -> str:
    return str(member.name).lower().replace("_", "-")
