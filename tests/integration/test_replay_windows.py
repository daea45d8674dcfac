"""Half a year of flights replayed through windows behind a repartition: each window once, with the batch's answer."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.cluster import Cluster
from tests.integration.replay.happenings import Happening
from tests.integration.replay.history import DAY_MS, Event, History, read_history
from tests.integration.replay.matrix import DEADLINE_S, TIMEOUT_S, happenings
from tests.integration.replay.replay import Job, Replay, Result
from tests.integration.replay.windows_job import ZONE

pytestmark = pytest.mark.timeout(TIMEOUT_S)

JOB = Job(
    module="tests.integration.replay.windows_job",
    application_id="replay-windows",
    inputs={"departures": lambda history: history.departures},
    outputs=("days", "three-days", "weeks"),
)


def day(ts: int) -> list[int]:
    return [ts // DAY_MS * DAY_MS]


def three_days(ts: int) -> list[int]:
    """Those that begin today, yesterday and the day before."""
    return [(ts // DAY_MS - back) * DAY_MS for back in range(3)]


@cache
def monday(day_ms: int) -> int:
    zone = ZoneInfo(ZONE)
    local = datetime.fromtimestamp(day_ms / 1000, zone)
    begin = datetime(local.year, local.month, local.day, tzinfo=zone) - timedelta(days=local.weekday())
    return int(begin.timestamp()) * 1000


def week(ts: int) -> list[int]:
    return [monday(ts // 3_600_000 * 3_600_000)]  # no zone offset here is other than full hours


def answer(events: Iterable[Event], starts: Callable[[int], list[int]]) -> Counter[Result]:
    delays: dict[tuple[str, int], list[int]] = defaultdict(list)
    for event in events:
        for start in starts(event.ts):
            delays[event.destination, start].append(event.delay)
    return Counter((*key, len(of), sum(of), max(of)) for key, of in delays.items())


@pytest.fixture(scope="module")
def history() -> History:
    return read_history(rows=25_000)


@pytest.mark.parametrize("happening", happenings())
def test_replay_of_windows_gives_the_batch_answer(
    history: History, happening: Happening, cluster: Cluster, tmp_path: Path
) -> None:
    with Replay(JOB, history, cluster, tmp_path, deadline_s=DEADLINE_S) as replay:
        happening(replay)
        events = history.departures
        replay.finish(
            {"days": answer(events, day), "three-days": answer(events, three_days), "weeks": answer(events, week)}
        )
