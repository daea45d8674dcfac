"""Error rates out of log lines."""

from __future__ import annotations

import math
from collections import defaultdict
from typing import NamedTuple

import pytest

from examples.event import clock
from examples.log_aggregation.__main__ import main
from examples.log_aggregation.app import app
from examples.log_aggregation.data import events
from tests.examples.conftest import Drive

MINUTE = 60_000
GRACE = 10_000


class Request(NamedTuple):
    at: int
    status: int
    ms: int


def requests() -> tuple[dict[tuple[str, int], list[Request]], list[str]]:
    """Those of each service's windows of five minutes that are over, and the lines that are none."""
    found: dict[tuple[str, int], list[Request]] = defaultdict(list)
    others: list[str] = []
    now = 0
    for event in events():
        words = event.value.split()
        if len(words) != 5 or words[1] != "GET":
            others.append(event.value)
            continue
        now = max(now, event.timestamp)
        newest = event.timestamp // MINUTE * MINUTE
        for start in range(newest - 4 * MINUTE, newest + MINUTE, MINUTE):
            found[words[0], start].append(Request(event.timestamp, int(words[3]), int(words[4].removesuffix("ms"))))
    return {key: seen for key, seen in found.items() if key[1] + 5 * MINUTE + GRACE <= now}, others


def rate(seen: list[Request]) -> float:
    return sum(request.status >= 500 for request in seen) / len(seen)


def alerts() -> list[tuple[str, int]]:
    """Service and start of the windows that are bad, without those that come within a quarter of an hour of another."""
    told: dict[str, int] = {}
    found: list[tuple[str, int]] = []
    for (service, start), seen in sorted(requests()[0].items(), key=lambda row: row[0][1]):
        at = max(request.at for request in seen)
        if len(seen) >= 50 and rate(seen) > 0.05 and at - told.get(service, 0) >= 15 * MINUTE:
            told[service] = at
            found.append((service, start))
    return found


def test_health_is_that_of_a_plain_computation(drive: Drive) -> None:
    """Each service and window once; the 95th percentile to one percent, as its sketch promises."""
    driver = drive(app, events())
    expected, _ = requests()
    healths = driver.output_topic("service-health").read_values()
    assert len(healths) == len(expected)
    for health in healths:
        seen = expected[health.service, health.start]
        assert (health.requests, health.error_rate) == (len(seen), rate(seen))
        slowest = sorted(request.ms for request in seen)
        assert any(
            health.p95_ms == pytest.approx(slowest[rank], rel=0.011)
            for rank in (math.floor(0.95 * (len(seen) - 1)), math.ceil(0.95 * (len(seen) - 1)))
        )


def test_outage_is_told_once(drive: Drive) -> None:
    """It is in many windows."""
    driver = drive(app, events())
    found = [(alert.service, alert.start) for alert in driver.output_topic("error-alerts").read_values()]
    assert found == alerts()
    assert [service for service, _ in found] == ["checkout"]


def test_lines_that_are_no_requests_are_kept(drive: Drive) -> None:
    """On a topic of their own, as they were."""
    driver = drive(app, events())
    assert driver.output_topic("unparsable-lines").read_values() == requests()[1]


def test_run_on_a_broker_tells_the_outage(bootstrap_servers: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The windows around it, and the alert."""
    main(bootstrap_servers)
    first, _, _, *lines, last = capsys.readouterr().out.splitlines()
    expected, _ = requests()
    assert f"{len(events()):,} lines, {len(expected)} windows of three services, in " in first
    checkout = {clock(start): seen for (service, start), seen in sorted(expected.items()) if service == "checkout"}
    assert [line.split()[:4] for line in lines] == [
        [start, str(len(seen)), str(sum(request.status >= 500 for request in seen)), f"{rate(seen):.1%}"]
        for start, seen in checkout.items()
        if "09:10" <= start < "09:20"
    ]
    ((service, start),) = alerts()
    assert (
        last == f"alert: {service}, {rate(expected[service, start]):.1%} errors in the five minutes from {clock(start)}"
    )
