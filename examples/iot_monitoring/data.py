"""Half an hour of ten machines, a reading every five seconds each, made up with a seed."""

from __future__ import annotations

from random import Random

from examples.event import Event, milliseconds
from examples.iot_monitoring.app import Reading

BEGAN = milliseconds("2026-03-02 06:00")
SECOND = 1_000
MINUTE = 60 * SECOND
MACHINES = [f"press-{number}" for number in range(1, 11)]


def celsius(machine: str, at: float, random: Random) -> float:
    """`at` in minutes. press-4 runs hot from the tenth to the fourteenth minute; press-7 has single hot readings, which
    mean nothing."""
    if machine == "press-4" and 10 <= at < 14:
        return random.gauss(88, 3)
    if machine == "press-7" and random.random() < 0.05:
        return 120.0
    return random.gauss(62, 4)


def events(seed: int = 3) -> list[Event]:
    """In the order in which they arrive: radio takes up to eight seconds, and a few readings of press-2 a minute and a
    half. press-9 is silent from the eighth to the seventeenth minute."""
    random = Random(seed)
    arriving: list[tuple[float, Event]] = []
    for tick in range(30 * 12):
        for machine in MACHINES:
            measured = BEGAN + tick * 5 * SECOND + random.randrange(SECOND)
            minute = (measured - BEGAN) / MINUTE
            if machine == "press-9" and 8 <= minute < 17:
                continue
            delay = random.uniform(0, 8) * SECOND
            if machine == "press-2" and random.random() < 0.02:
                delay = 90 * SECOND
            reading = Reading(machine, round(celsius(machine, minute, random), 1))
            arriving.append((measured + delay, Event("readings", machine, reading, measured)))
    return [event for _, event in sorted(arriving, key=lambda pair: pair[0])]
