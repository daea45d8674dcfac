"""A scikit-learn model that scores every sample of some servers as it comes in.

    samples ──> map_batch: scored ─┬──> scores
                                   └──> odder than normal ──> anomalies

A model call costs about the same for one row as for hundreds, so records go to it in batches: `map_batch` collects
what came in, up to a size and for a time at most, and each record goes on with its own score, in the order in which
it came. Nothing else changes: scores are exactly once like everything.

The model is trained when the program starts, on a day that was normal. A larger one would be loaded from a file.

    pip install scikit-learn
    python -m examples.anomaly_scoring            an hour of eight servers, and what was odd about it

or live:

    headrace dev examples/anomaly_scoring/app.py:app
    headrace produce samples '{"cpu": 97, "memory": 42, "requests": 3, "latency_ms": 950}' --key web-1
    headrace consume anomalies
"""

from __future__ import annotations

from datetime import timedelta

import msgspec
from sklearn.covariance import EllipticEnvelope

from examples.anomaly_scoring.data import Sample, normal_samples
from streams import App, F


class Score(msgspec.Struct):
    """`score`: the lower, the farther away from what is normal, with regard to what belongs together."""

    score: float
    sample: Sample


def features(samples: list[Sample]) -> list[tuple[float, ...]]:
    return [msgspec.structs.astuple(sample) for sample in samples]


def scores_of(samples: list[Sample]) -> list[float]:
    return [round(float(score), 4) for score in model.score_samples(features(samples))]


# The seed makes workers that start at different times agree: each trains the same model.
model = EllipticEnvelope(random_state=0)
model.fit(features(normal_samples()))
ODD = 1.5 * min(scores_of(normal_samples()))
"""Nothing on a normal day came close to it."""


def scored(samples: list[Sample]) -> list[Score]:
    """As many scores as samples, in their order."""
    return [Score(score, sample) for score, sample in zip(scores_of(samples), samples)]


app = App("anomaly-scoring")

scores = app.stream("samples", key=str, value=Sample).map_batch(
    scored, max_size=256, max_wait=timedelta(milliseconds=20)
)
scores.to("scores")
scores.filter(F.score < ODD).to("anomalies")

if __name__ == "__main__":
    app.run()
