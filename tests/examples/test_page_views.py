"""Visits out of page views."""

from __future__ import annotations

from itertools import groupby

import pytest

from examples.page_views.__main__ import main
from examples.page_views.app import Activity, app
from examples.page_views.data import events
from tests.examples.conftest import Drive

MINUTE = 60_000


def visits() -> dict[tuple[str, int], Activity]:
    """Each user's views in order, cut where nothing happens for more than half an hour; those that are over."""
    users = {event.key: event.value for event in events() if event.topic == "users"}
    views = sorted((event for event in events() if event.topic == "views"), key=lambda e: (e.key, e.timestamp))
    now = max(event.timestamp for event in views)
    found: dict[tuple[str, int], Activity] = {}
    for user, seen in groupby(views, key=lambda event: event.key):
        visit = [next(seen)]
        for event in [*seen, None]:
            if event is not None and event.timestamp - visit[-1].timestamp <= 30 * MINUTE:
                visit.append(event)
                continue
            began, ended = visit[0].timestamp, visit[-1].timestamp
            if ended + 35 * MINUTE < now:
                name, country = (users[user].name, users[user].country) if user in users else ("somebody", "?")
                pages = [each.value.page for each in visit]
                seconds = (ended - began) // 1000
                found[user, began] = Activity(name, country, began, seconds, len(pages), pages[0], pages[-1])
            visit = [event] if event is not None else []
    return found


def test_visits_are_told_once_when_they_are_over(drive: Drive) -> None:
    """Also those with views that came late, in the order of time."""
    driver = drive(app, events())
    feed = [
        ((record.key, record.value.began), record.value) for record in driver.output_topic("activity-feed").read_all()
    ]
    assert dict(feed) == visits()
    assert len(feed) == len(visits())


def test_late_view_between_two_visits_makes_them_one(drive: Drive) -> None:
    """Half an hour and two minutes apart they are two, until a view comes that lies between."""
    first = events()[0].timestamp
    driver = drive(app, [])
    views = driver.input_topic("views")
    for minute, page in ((0, "/a"), (32, "/c"), (16, "/b"), (200, "/later")):
        views.pipe({"page": page, "at": first + minute * MINUTE}, key="u1", timestamp=0)
    told = driver.output_topic("activity-feed").read_values()
    assert [(visit.pages, visit.first, visit.last, visit.seconds) for visit in told] == [(3, "/a", "/c", 32 * 60)]


def test_run_on_a_broker_tells_the_visits(bootstrap_servers: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The first ones, how many there are, and the one that goes on."""
    main(bootstrap_servers)
    first, *lines, more, last = capsys.readouterr().out.splitlines()
    expected = sorted(visits().values(), key=lambda visit: visit.began)
    assert f"{len(events())} views and users, {len(expected)} visits, in " in first
    assert [line.split(": ")[1] for line in lines] == [
        f"{visit.pages} pages in {visit.seconds // 60} min, from {visit.first} to {visit.last}"
        for visit in expected[:12]
    ]
    assert more == f"  ... and {len(expected) - 12} more"
    assert last == "still going on: Ann's, who came to /home at 12:30:00"
