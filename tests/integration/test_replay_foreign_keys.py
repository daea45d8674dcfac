"""Half a year of flights replayed through a foreign-key join into windows: nothing is late behind three topics."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.cluster import Cluster
from tests.integration.replay.happenings import Happening
from tests.integration.replay.history import DAY_MS, History, read_history, states
from tests.integration.replay.matrix import DEADLINE_S, TIMEOUT_S, happenings
from tests.integration.replay.replay import Job, Replay, Result

pytestmark = pytest.mark.timeout(TIMEOUT_S)

JOB = Job(
    module="tests.integration.replay.foreign_keys_job",
    application_id="replay-foreign-keys",
    inputs={"flights": lambda history: history.departures},
    outputs=("days",),
    key=lambda event: event.id,
    with_airports=True,
)


def answer(history: History) -> Counter[Result]:
    state_of = states()
    counts = Counter(
        (state_of[event.destination], event.ts // DAY_MS * DAY_MS)
        for event in history.departures
        if event.destination in state_of
    )
    return Counter((*key, count) for key, count in counts.items())


@pytest.fixture(scope="module")
def history() -> History:
    return read_history(rows=10_000)


@pytest.mark.parametrize("happening", happenings())
def test_replay_of_a_foreign_key_join_gives_the_batch_answer(
    history: History, happening: Happening, cluster: Cluster, tmp_path: Path
) -> None:
    with Replay(JOB, history, cluster, tmp_path, deadline_s=DEADLINE_S) as replay:
        happening(replay)
        replay.finish({"days": answer(history)})
