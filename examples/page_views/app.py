"""What people do on a site, visit by visit: a feed such as "Ann (NL) read 4 pages in 6 minutes, from /home to /order".

    views ──> join ──> sessions of a user ──> closed ──> activity-feed
    users ─(table)┘    [visits]

A visit ends when nothing was seen of the user for half an hour. Nobody knows its length beforehand, and two visits
become one when a view comes late that lies between them: that is a session window. Each visit is told once, when it
is over.

    python -m examples.page_views                 a morning of twelve users

or live:

    headrace dev examples/page_views/app.py:app
    headrace produce users '{"name": "Ann", "country": "NL"}' --key u1
    headrace produce views '{"page": "/home", "at": 1772434800000}' --key u1
    headrace query visits u1                      the visit so far; the feed has it when it is over
    headrace consume activity-feed
"""

from __future__ import annotations

from datetime import timedelta

import msgspec

from streams import App, F, Windowed, session


class User(msgspec.Struct):
    name: str
    country: str


class View(msgspec.Struct):
    """`at` in ms since the epoch."""

    page: str
    at: int


class SeenBy(msgspec.Struct):
    view: View
    user: User


class Visit(msgspec.Struct):
    user: User | None = None
    views: list[View] = []


class Activity(msgspec.Struct):
    """A line of the feed. `began` in ms since the epoch."""

    name: str
    country: str
    began: int
    seconds: int
    pages: int
    first: str
    last: str


NOBODY = User("somebody", "?")


def seen_by(view: View, user: User | None) -> SeenBy:
    """Who has not signed up has a cookie and no name; what they look at counts all the same, hence the left join."""
    return SeenBy(view, user or NOBODY)


def add(user_id: str, seen: SeenBy, visit: Visit) -> Visit:
    return Visit(seen.user, [*visit.views, seen.view])


def merge(user_id: str, one: Visit, other: Visit) -> Visit:
    """Two visits were one: a view that came late lies between them."""
    return Visit(other.user or one.user, one.views + other.views)


def activity(window: Windowed[str], visit: Visit) -> tuple[str, Activity]:
    views = sorted(visit.views, key=lambda view: view.at)  # they are in the order in which they came
    user = visit.user or NOBODY
    seconds = (window.end - window.start) // 1000
    told = Activity(user.name, user.country, window.start, seconds, len(views), views[0].page, views[-1].page)
    return window.key, told


app = App("page-views")

users = app.table("users", key=str, value=User)
(
    app.stream("views", key=str, value=View, timestamp=F.at)
    .left_join(users, seen_by)
    .group_by_key()
    .windowed_by(session(timedelta(minutes=30), grace=timedelta(minutes=5)), emit="close")
    .aggregate(Visit, add, merge, store="visits")
    .to_stream()
    .map(activity)
    .to("activity-feed")
)

if __name__ == "__main__":
    app.run()
