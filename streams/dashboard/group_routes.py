"""The groups page: who reads, how far, and how much is before them."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from streams.cluster.group_lag import group_lag, lags_of
from streams.dashboard.cluster_access import ClusterAccess, asking
from streams.query.problem import Problem
from streams.query.subject import Subject


class UnknownGroup(Problem):
    """No such group has members or offsets."""

    status = 404
    reason = "unknown-group"


def group_routes(subject: Subject, cluster: ClusterAccess) -> APIRouter:
    """`/groups` and `/groups/{name}`."""
    router = APIRouter()

    @router.get("/groups")
    def groups() -> dict[str, Any]:  # pyright: ignore[reportUnusedFunction]
        with asking(cluster):
            admin = cluster.admin
            names = [name for name, _ in admin.groups()]
            described = admin.described_groups(names)
            lags = lags_of(admin, names)
        return {
            "groups": [
                {
                    "group": name,
                    "state": described[name].state,
                    "kind": described[name].kind,
                    "members": len(described[name].members),
                    "topics": sorted({each.topic for each in lags[name]}),
                    "partitions": len(lags[name]),
                    "lag": sum(each.lag or 0 for each in lags[name]),
                    "without_leader": sum(each.lag is None for each in lags[name]),
                    "own": name == subject.application_id,
                }
                for name in names
            ]
        }

    @router.get("/groups/{name:path}")
    def group(name: str) -> dict[str, Any]:  # pyright: ignore[reportUnusedFunction]
        with asking(cluster):
            admin = cluster.admin
            described = admin.group(name)
            lag = group_lag(admin, name)
        if described.state == "dead" or not (lag or described.members):
            raise UnknownGroup(f"group {name!r} has no members and no committed offsets")
        own = name == subject.application_id
        views = {view.member_id: view for view in subject.members()} if own else {}
        readers = {place: member.member for member in described.members for place in member.places}
        return {
            "group": name,
            "own": own,
            "state": described.state,
            "kind": described.kind,
            "assignor": described.assignor,
            "members": [
                {
                    "member": member.member,
                    "instance": member.instance,
                    "client": member.client,
                    "host": member.host.removeprefix("/"),
                    "partitions": len(member.places),
                    "tasks": sorted(map(str, views[member.member].tasks)) if member.member in views else None,
                    "endpoint": views[member.member].endpoint if member.member in views else None,
                }
                for member in described.members
            ],
            "partitions": [each._asdict() | {"member": readers.get((each.topic, each.partition))} for each in lag],
        }

    return router
