"""Half a year of flights replayed through outer and left joins of streams: each pair, and each that met none, once."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from datetime import timedelta
from pathlib import Path

import pytest

from tests.cluster import Cluster
from tests.integration.replay.happenings import Happening
from tests.integration.replay.history import Event, History, read_history
from tests.integration.replay.joins_job import SOON, TURNAROUND, VERY_LATE
from tests.integration.replay.matrix import DEADLINE_S, TIMEOUT_S, happenings
from tests.integration.replay.replay import Job, Replay, Result

pytestmark = pytest.mark.timeout(TIMEOUT_S)

JOB = Job(
    module="tests.integration.replay.joins_job",
    application_id="replay-joins",
    # departures are on the right of both joins, and one reads them as they are: no watermark waits for them
    inputs={"departures": lambda history: history.departures, "arrivals": lambda history: history.arrivals},
    outputs=("turnarounds", "missed"),
)
MS = timedelta(milliseconds=1)
Keyed = Iterable[tuple[str, Event]]


def answer(left: Keyed, right: Keyed, before: timedelta, after: timedelta, *, outer: bool) -> Counter[Result]:
    """All pairs whose times lie close enough, and what is in none of them."""
    of_key: dict[str, list[Event]] = defaultdict(list)
    for key, event in right:
        of_key[key].append(event)
    for events in of_key.values():
        events.sort(key=lambda event: event.ts)
    met: set[str] = set()
    found: Counter[Result] = Counter()
    when: Callable[[Event], int] = lambda event: event.ts  # noqa: E731
    for key, event in left:
        others = of_key.get(key, [])
        first = bisect_left(others, event.ts - before // MS, key=when)
        near = others[first : bisect_right(others, event.ts + after // MS, key=when)]
        met.update(other.id for other in near)
        found.update((key, event.id, other.id) for other in near)
        if not near:
            found[key, event.id, None] += 1
    if outer:
        found.update((key, None, event.id) for key, events in of_key.items() for event in events if event.id not in met)
    return found


def batch_answer(history: History) -> dict[str, Counter[Result]]:
    arrivals, departures = history.arrivals, history.departures
    return {
        "turnarounds": answer(
            ((f"{event.destination}>{event.origin}", event) for event in arrivals),
            ((f"{event.origin}>{event.destination}", event) for event in departures),
            timedelta(0),
            TURNAROUND,
            outer=True,
        ),
        "missed": answer(
            ((event.destination, event) for event in arrivals if event.delay >= VERY_LATE),
            ((event.origin, event) for event in departures),
            SOON,
            SOON,
            outer=False,
        ),
    }


@pytest.fixture(scope="module")
def history() -> History:
    return read_history(rows=20_000)


def test_history_has_pairs_and_events_that_meet_none(history: History) -> None:
    """Else the comparison below would say little."""
    answers = batch_answer(history)
    for topic, results in answers.items():
        pairs = sum(None not in result for result in results)
        assert 50 < pairs < len(results) - 50, topic
    assert any(result[1] is None for result in answers["turnarounds"])


@pytest.mark.parametrize("happening", happenings())
def test_replay_of_joins_gives_the_batch_answer(
    history: History, happening: Happening, cluster: Cluster, tmp_path: Path
) -> None:
    with Replay(JOB, history, cluster, tmp_path, deadline_s=DEADLINE_S) as replay:
        happening(replay)
        replay.finish(batch_answer(history))
