"""Half a year of flights replayed over three repartitions in a row: nothing is late at their end."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.cluster import Cluster
from tests.integration.replay.happenings import Happening
from tests.integration.replay.history import DAY_MS, HOUR_MS, History, read_history, states
from tests.integration.replay.matrix import DEADLINE_S, TIMEOUT_S, happenings
from tests.integration.replay.replay import Job, Replay, Result

pytestmark = pytest.mark.timeout(TIMEOUT_S)

JOB = Job(
    module="tests.integration.replay.chain_job",
    application_id="replay-chain",
    inputs={"departures": lambda history: history.departures},
    outputs=("hours", "weeks"),
    with_airports=True,
)


def answer(history: History, size_ms: int) -> Counter[Result]:
    """Flights by the state of their destination; those to unknown airports are left out, as in a join."""
    state_of = states()
    counts = Counter(
        (state_of[event.destination], event.ts // size_ms * size_ms)
        for event in history.departures
        if event.destination in state_of
    )
    return Counter((*key, count) for key, count in counts.items())


@pytest.fixture(scope="module")
def history() -> History:
    return read_history(rows=8_000)


@pytest.mark.parametrize("happening", happenings())
def test_replay_over_chains_of_repartitions_gives_the_batch_answer(
    history: History, happening: Happening, cluster: Cluster, tmp_path: Path
) -> None:
    with Replay(JOB, history, cluster, tmp_path, deadline_s=DEADLINE_S) as replay:
        happening(replay)
        replay.finish({"hours": answer(history, HOUR_MS), "weeks": answer(history, 7 * DAY_MS)})
