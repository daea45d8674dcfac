"""A morning on a site: `python -m examples.page_views`."""

from __future__ import annotations

from examples.event import clock
from examples.page_views.app import Activity, app
from examples.page_views.data import events
from examples.playground import Playground


def main(bootstrap_servers: str | None = None) -> None:
    with Playground(app, bootstrap_servers=bootstrap_servers) as playground:
        number = playground.feed(events())
        seconds = playground.run()
        feed = playground.read("activity-feed", Activity)
        with app.store("visits").find_sessions("u1", 0, 2**63 - 1) as visits:
            window, visit = max(visits, key=lambda row: row[0].start)
    print(f"{number} views and users, {len(feed)} visits, in {seconds:.1f} s")
    for event in sorted(feed, key=lambda event: event.value.began)[:12]:
        did = event.value
        told = f"{did.pages} pages in {did.seconds // 60} min, from {did.first} to {did.last}"
        print(f"  {clock(did.began)}  {did.name} ({did.country}): {told}")
    print(f"  ... and {len(feed) - 12} more")
    print(f"still going on: {visit.user.name}'s, who came to {visit.views[-1].page} at {clock(window.start)}")


if __name__ == "__main__":
    main()
