"""Hot minutes and silent sensors."""

from __future__ import annotations

from collections import defaultdict

import pytest

from examples.event import Event
from examples.iot_monitoring.__main__ import main
from examples.iot_monitoring.app import app
from examples.iot_monitoring.data import events
from tests.examples.conftest import Drive

SECOND = 1_000
MINUTE = 60 * SECOND
GRACE = 10 * SECOND


def minutes() -> tuple[dict[tuple[str, int], list[float]], list[Event], int]:
    """The readings of each sensor's minutes; those that came when their minute was closed; the newest time."""
    now = 0
    found: dict[tuple[str, int], list[float]] = defaultdict(list)
    late: list[Event] = []
    for event in events():
        now = max(now, event.timestamp)
        start = event.timestamp // MINUTE * MINUTE
        if start + MINUTE + GRACE <= now:
            late.append(event)
        else:
            found[event.key, start].append(event.value.celsius)
    return found, late, now


def hot_minutes() -> list[tuple[str, str]]:
    """Sensor and details, of minutes that are over."""
    found, _, now = minutes()
    return [
        (sensor, f"{sum(read) / len(read):.1f} °C over {len(read)} readings, {max(read):.1f} at most")
        for (sensor, start), read in found.items()
        if start + MINUTE + GRACE <= now and sum(read) / len(read) > 80
    ]


def test_hot_minutes_are_told_once_each(drive: Drive) -> None:
    """press-4 for four minutes; the single hot readings of press-7 do not matter."""
    driver = drive(app, events())
    alerts = [record.value for record in driver.output_topic("alerts").read_all()]
    hot = [(alert.sensor, alert.details) for alert in alerts if alert.kind == "hot"]
    assert sorted(hot) == sorted(hot_minutes())
    assert [sensor for sensor, _ in hot] == ["press-4"] * 4
    assert max(event.value.celsius for event in events() if event.key == "press-7") == 120


def test_silence_is_told_once_and_so_is_its_end(drive: Drive) -> None:
    """Found by a look around that comes every 30 seconds, so up to 30 seconds after three minutes."""
    driver = drive(app, events())
    records = [record for record in driver.output_topic("alerts").read_all() if record.value.kind != "hot"]
    heard = [event.timestamp for event in events() if event.key == "press-9"]
    gaps = [(before, after) for before, after in zip(sorted(heard), sorted(heard)[1:]) if after - before > 3 * MINUTE]
    ((last, _),) = gaps
    again = next(time for time in heard if time > last)  # by arrival
    silent, back = records
    assert [record.value.kind for record in records] == ["silent", "back"]
    assert 3 * MINUTE <= silent.timestamp - last <= 3 * MINUTE + 30 * SECOND
    assert silent.value.details == f"for {(silent.timestamp - last) // SECOND} s"
    assert (back.timestamp, back.value.details) == (again, f"after {(again - last) // SECOND} s")


def test_late_readings_are_not_lost(drive: Drive) -> None:
    """They go to a topic of their own, and none of their minutes is told twice."""
    _, late, _ = minutes()
    driver = drive(app, events())
    found = [(record.key, record.value, record.timestamp) for record in driver.output_topic("late-readings").read_all()]
    assert found == [(event.key, event.value, event.timestamp) for event in late]
    assert len(late) > 1


def test_run_on_a_broker_tells_the_alerts(bootstrap_servers: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Those of the driver's."""
    main(bootstrap_servers)
    first, *lines, last = capsys.readouterr().out.splitlines()
    hot = [details for _, details in hot_minutes()]
    assert f"{len(events()):,} readings, {len(hot) + 2} alerts, in " in first
    assert [line.split(maxsplit=3)[3] for line in lines if " hot " in line] == hot
    assert [line.split()[1:3] for line in lines if "press-9" in line] == [["press-9", "silent"], ["press-9", "back"]]
    assert last.startswith(f"{len(minutes()[1])} readings came too late")
