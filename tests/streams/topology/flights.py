"""The program that README and design show, as tests use it: the demo's."""

from __future__ import annotations

from streams import App
from streams.demo.dataset import DAY_MS as DAY
from streams.demo.flight_delays import Airport, Delay, Flight, app

__all__ = ["DAY", "Airport", "Delay", "Flight", "flight_delays"]


def flight_delays() -> App:
    return app
