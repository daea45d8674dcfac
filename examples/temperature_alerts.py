"""Readings that need attention, each kind on a topic of its own: filter, split, branch.

headrace dev examples/temperature_alerts.py:app
headrace produce readings '{"sensor": "boiler", "celsius": 131.5}' --key boiler
headrace consume alarms
"""

from __future__ import annotations

import msgspec

from streams import App, F


class Reading(msgspec.Struct):
    sensor: str
    celsius: float


app = App("temperature-alerts")

readings = app.stream("readings", key=str, value=Reading)
branches = (
    readings.filter(F.celsius > 60)
    .split()
    .branch(F.celsius > 120, name="alarm")
    .branch(F.celsius > 90, name="warning")
    .default_branch(name="notice")
)
branches["alarm"].to("alarms")
branches["warning"].to("warnings")
branches["notice"].to("notices")

if __name__ == "__main__":
    app.run()
