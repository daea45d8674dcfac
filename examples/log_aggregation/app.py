"""The health of services out of their access logs: requests, error rate and slow answers, and an alert where it is bad.

    log-lines ──┬─> request ──> group by service ──> 5 min, every minute ──> closed ──┬──> service-health
                │                                    [requests-by-service]            └──> bad ──> once in 15 min
                └─> unparsable-lines                                                               ──> error-alerts

A rate needs a denominator, so errors and requests are counted side by side, in one aggregate. Windows of five minutes
that begin every minute are a moving average: an outage of a minute is seen while it lasts, and does not drown in an
hour.

    python -m examples.log_aggregation            forty minutes of three services; one has an outage

or live:

    headrace dev examples/log_aggregation/app.py:app
    headrace produce log-lines 'checkout GET /pay 503 1201ms'
    headrace consume service-health
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import msgspec

from streams import App, F, Windowed, count, hopping, quantile, sum_

BAD = 0.05
ENOUGH = 50
"""Requests in a window below which a rate says nothing."""

LINE = re.compile(r"(?P<service>[\w-]+) (?P<method>[A-Z]+) (?P<path>/\S*) (?P<status>\d{3}) (?P<ms>\d+)ms")


class Request(msgspec.Struct):
    service: str
    path: str
    status: int
    ms: int


class Health(msgspec.Struct):
    """Of a service in the five minutes from `start` (ms since the epoch) on."""

    service: str
    start: int
    requests: int
    errors: int
    error_rate: float
    p95_ms: float


def is_request(host: str, line: str) -> bool:
    return LINE.fullmatch(line) is not None


def request(line: str) -> Request:
    found = LINE.fullmatch(line)
    assert found is not None, "only lines that are requests come here"
    return Request(found["service"], found["path"], int(found["status"]), int(found["ms"]))


def health(window: Windowed[str], seen: Any) -> tuple[str, Health]:
    rate = seen.errors / seen.requests
    return window.key, Health(window.key, window.start, seen.requests, seen.errors, rate, seen.p95_ms)


app = App("log-aggregation")

# The host that wrote a line is its key. What is no request is not thrown away: somebody wants to see it.
lines = (
    app.stream("log-lines", key=str, value=str)
    .split()
    .branch(is_request, name="requests")
    .default_branch(name="unparsable")
)
lines["unparsable"].to("unparsable-lines")

services = (
    lines["requests"]
    .map_values(request)
    .group_by(F.service)
    .windowed_by(hopping(timedelta(minutes=5), timedelta(minutes=1), grace=timedelta(seconds=10)), emit="close")
    .aggregate(
        requests=count(),
        errors=sum_((F.status >= 500).cast(int)),
        p95_ms=quantile(F.ms, 0.95),
        store="requests-by-service",
    )
    .to_stream()
    .map(health)
)
services.to("service-health")
(
    services.filter((F.error_rate > BAD) & (F.requests >= ENOUGH))
    # Windows overlap: one outage is in many of them. One alert is enough.
    .deduplicate(within=timedelta(minutes=15), store="alerted")
    .to("error-alerts")
)

if __name__ == "__main__":
    app.run()
