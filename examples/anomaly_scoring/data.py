"""Eight servers, a sample each every ten seconds, made up with a seed."""

from __future__ import annotations

from random import Random

import msgspec

from examples.event import Event, milliseconds

BEGAN = milliseconds("2026-03-02 14:00")
SECOND = 1_000


class Sample(msgspec.Struct):
    """`cpu` and `memory` in percent, `requests` per second."""

    cpu: float
    memory: float
    requests: float
    latency_ms: float


def normal(random: Random) -> Sample:
    """What is asked more works more, and answers a little later."""
    requests = max(1.0, random.gauss(200, 40))
    cpu = requests / 5 + random.gauss(5, 2)
    return Sample(
        round(cpu, 1), round(random.gauss(55, 4), 1), round(requests), round(20 + cpu / 2 + random.gauss(0, 2))
    )


def normal_samples(seed: int = 0, number: int = 1_500) -> list[Sample]:
    """What the model learns from."""
    random = Random(seed)
    return [normal(random) for _ in range(number)]


def events(seed: int = 1) -> list[Event]:
    """An hour. web-3 works without being asked, from 14:20 for a minute; web-6 leaks memory from 14:40 on."""
    random = Random(seed)
    found: list[Event] = []
    for tick in range(360):
        for server in range(1, 9):
            sample = normal(random)
            if server == 3 and 120 <= tick < 126:
                sample = Sample(99.0, sample.memory, 4.0, 900.0)
            if server == 6 and tick >= 240:
                sample = msgspec.structs.replace(sample, memory=min(100.0, round(55 + (tick - 240) * 0.5, 1)))
            at = BEGAN + tick * 10 * SECOND + server
            found.append(Event("samples", f"web-{server}", sample, at))
    return found
