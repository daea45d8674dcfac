"""Half a year of flights replayed into sessions behind a repartition: each session once, with the batch's answer."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from datetime import timedelta
from pathlib import Path

import pytest

from tests.cluster import Cluster
from tests.integration.replay.happenings import Happening
from tests.integration.replay.history import Event, History, read_history
from tests.integration.replay.matrix import DEADLINE_S, TIMEOUT_S, happenings
from tests.integration.replay.replay import Job, Replay, Result
from tests.integration.replay.sessions_job import AIRPORT_GAP, ROUTE_GAP

pytestmark = pytest.mark.timeout(TIMEOUT_S)

JOB = Job(
    module="tests.integration.replay.sessions_job",
    application_id="replay-sessions",
    inputs={"arrivals": lambda history: history.arrivals, "departures": lambda history: history.departures},
    outputs=("busy", "served"),
)


def answer(events: Iterable[Event], key: Callable[[Event], str], gap: timedelta) -> Counter[Result]:
    """Events of a key in order of time, cut where none comes for longer than the gap."""
    of_key: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for event in events:
        of_key[key(event)].append((event.ts, event.distance))
    found: Counter[Result] = Counter()
    for name, rows in of_key.items():
        rows.sort()
        first = 0
        for place in range(1, len(rows) + 1):
            if place == len(rows) or rows[place][0] - rows[place - 1][0] > gap / timedelta(milliseconds=1):
                session = rows[first:place]
                miles = sum(distance for _, distance in session)
                found[name, session[0][0], session[-1][0], len(session), miles] += 1
                first = place
    return found


@pytest.fixture(scope="module")
def history() -> History:
    return read_history(rows=15_000)


@pytest.mark.parametrize("happening", happenings())
def test_replay_of_sessions_gives_the_batch_answer(
    history: History, happening: Happening, cluster: Cluster, tmp_path: Path
) -> None:
    with Replay(JOB, history, cluster, tmp_path, deadline_s=DEADLINE_S) as replay:
        happening(replay)
        replay.finish(
            {
                "busy": answer(history.arrivals, lambda event: event.destination, AIRPORT_GAP),
                "served": answer(history.departures, lambda event: f"{event.origin}>{event.destination}", ROUTE_GAP),
            }
        )
