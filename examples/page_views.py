"""Visits per page over the last five minutes, renewed every minute: hopping windows over event time.

headrace dev examples/page_views.py:app
headrace produce views '{"user": "ann", "page": "/home", "at": 1700000000000}'
headrace consume views-by-page --key-type windowed --value-type int
"""

from __future__ import annotations

from datetime import timedelta

import msgspec

from streams import App, F, hopping


class View(msgspec.Struct):
    user: str
    page: str
    at: int


app = App("page-views")

(
    app.stream("views", key=str, value=View, timestamp=F.at)
    .group_by(F.page)
    .windowed_by(hopping(timedelta(minutes=5), timedelta(minutes=1), grace=timedelta(seconds=30)))
    .count(store="views-by-page")
    .to_stream()
    .to("views-by-page")
)

if __name__ == "__main__":
    app.run()
