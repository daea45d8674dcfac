"""A model's scores of samples."""

from __future__ import annotations

from collections import Counter
from importlib.util import find_spec

import pytest

from examples.anomaly_scoring.data import events
from tests.examples.conftest import Drive

pytestmark = pytest.mark.skipif(
    find_spec("sklearn") is None, reason="the example's model is scikit-learn's, which is not installed"
)
# The example is imported by what needs it: scikit-learn takes seconds, in each process that collects the tests.


def scores() -> list[float]:
    """All at once, without a stream."""
    from examples.anomaly_scoring.app import features, model

    return [round(float(score), 4) for score in model.score_samples(features([event.value for event in events()]))]


def test_scores_are_the_models_and_each_its_samples(drive: Drive) -> None:
    """Of 40 samples with oddities among them; the driver's batches have one sample each, and give the same."""
    from examples.anomaly_scoring.app import ODD, app

    some = slice(8 * 118, 8 * 123)
    driver = drive(app, events()[some])
    found = driver.output_topic("scores").read_all()
    assert [(record.key, record.value.sample) for record in found] == [(e.key, e.value) for e in events()[some]]
    assert [record.value.score for record in found] == pytest.approx(scores()[some], abs=1e-3)
    odd = [record.value for record in driver.output_topic("anomalies").read_all()]
    assert odd == [record.value for record in found if record.value.score < ODD]
    assert {"web-3"} <= {record.key for record in found if record.value.score < ODD}


def test_run_on_a_broker_tells_what_is_odd(bootstrap_servers: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Where the batches are large: as many of each server as without a stream, and the lowest score."""
    from examples.anomaly_scoring.__main__ import main
    from examples.anomaly_scoring.app import ODD

    main(bootstrap_servers)
    first, _, *lines = capsys.readouterr().out.splitlines()
    found = [(event.key, score) for event, score in zip(events(), scores()) if score < ODD]
    assert f"{len(events()):,} samples scored, {len(found)} of them odd, in " in first
    numbers = Counter(server for server, _ in found)
    told = {line.split()[0]: (int(line.split()[1]), float(line.split()[3])) for line in lines}
    assert told == {
        server: (number, pytest.approx(min(score for key, score in found if key == server), abs=0.06))
        for server, number in numbers.items()
    }
    assert numbers["web-3"] == 6
    assert numbers["web-6"] > 6
