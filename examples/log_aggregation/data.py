"""Forty minutes of three services on four hosts, made up with a seed."""

from __future__ import annotations

from random import Random

from examples.event import Event, milliseconds

BEGAN = milliseconds("2026-03-02 09:00")
SECOND = 1_000
SERVICES = {"checkout": "/pay", "search": "/find", "profile": "/me"}


def events(seed: int = 11) -> list[Event]:
    """checkout has an outage from 09:15 to 09:18: a third of its requests fails, and slowly. The collector of host-3 is
    some seconds behind. Some lines are no requests."""
    random = Random(seed)
    arriving: list[tuple[int, Event]] = []
    for second in range(40 * 60):
        service = random.choice(list(SERVICES))
        host = f"host-{random.randint(1, 4)}"
        outage = service == "checkout" and 15 * 60 <= second < 18 * 60
        failed = random.random() < (0.35 if outage else 0.01)
        status = 503 if failed else random.choice([200, 200, 200, 200, 404])
        took = int(random.lognormvariate(6.8 if failed else 4.2, 0.5))
        line = f"{service} GET {SERVICES[service]} {status} {took}ms"
        if random.random() < 0.003:
            line = random.choice(["segfault at 0x0", "rotating logs", f"{service} started"])
        at = BEGAN + second * SECOND + random.randrange(SECOND)
        arriving.append((at + (4 * SECOND if host == "host-3" else 0), Event("log-lines", host, line, at)))
    return [event for _, event in sorted(arriving, key=lambda pair: pair[0])]
