"""The application that runs for an hour. Its workers run it as `tests.soak.endurance.topology:app`.

    visits ──► with their user's plan (a table) ──► per page (a repartition) ──► 10 s windows ──► visits-per-page
       └─► sessions of each user, 2 s ──► visits-per-session

Counts come out when windows and sessions are over. Each visit is in one of each, so both sums are the number of visits.
"""

from __future__ import annotations

from datetime import timedelta

import msgspec

from streams import App, F, count, session, tumbling, until_window_closes

APPLICATION = "soak-endurance"
PARTITIONS = 8
OUTPUTS = ("visits-per-page", "visits-per-session")
GRACE = timedelta(seconds=1)


class Visit(msgspec.Struct, frozen=True):
    page: str
    took_ms: int


class User(msgspec.Struct, frozen=True):
    plan: str


class PageVisit(msgspec.Struct, frozen=True):
    page: str
    plan: str


def with_plan(visit: Visit, user: User | None) -> PageVisit:
    return PageVisit(visit.page, user.plan if user else "none")


app = App(APPLICATION)
visits = app.stream("visits", key=str, value=Visit)
users = app.table("users", key=str, value=User, store="users")
(
    visits.left_join(users, with_plan)
    .group_by(F.page, name="by-page")
    .windowed_by(tumbling(timedelta(seconds=10), grace=GRACE))
    .aggregate(count=count(), store="per-page")
    .suppress(until_window_closes())
    .to_stream()
    .to("visits-per-page")
)
(
    visits.group_by_key()
    .windowed_by(session(timedelta(seconds=2), grace=GRACE))
    .aggregate(count=count(), store="per-session")
    .suppress(until_window_closes())
    .to_stream()
    .to("visits-per-session")
)
