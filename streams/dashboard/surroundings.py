"""What the dashboard's endpoints are given."""

from __future__ import annotations

from dataclasses import dataclass

from streams.query.peers import Peers
from streams.query.placement import Placement
from streams.query.queries import Queries
from streams.query.subject import Subject


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Surroundings:
    """The worker that serves, and what its query server has anyway. All of it belongs to that server's loop."""

    subject: Subject
    placement: Placement
    peers: Peers
    queries: Queries
