"""The benchmark's workloads: what headrace's programs make of a few records is what the generators say."""

from __future__ import annotations

from importlib import import_module

import msgspec
import pytest

from bench.events import Events
from bench.truth import Truth
from bench.workloads import COLLAPSED, WORKLOADS
from streams import App
from streams.testing import TopologyTestDriver

OWN = [name for name, workload in WORKLOADS.items() if not workload.programs]
"""Those with a program in the package of each peer; the others have tests of their own."""


@pytest.mark.parametrize("name", OWN)
def test_workload_gives_what_its_truth_says(name: str) -> None:
    workload = WORKLOADS[name]
    data = workload.data(30_000 if name == "closed_windows" else 2_000, 20)
    if isinstance(data, Events):
        data.partitions = 1  # as the driver has it
    app = App("bench", emit_updates="commit" if name == COLLAPSED else "all")
    topics = data.topics()
    import_module(f"bench.headrace.{workload.program}").declare(app, ",".join(topics), "out")
    rows = [(ts, topic, key, value) for topic, held in topics.items() for key, value, ts in held]
    tally = workload.tally()
    # Where updates come at commits there is one behind each record; elsewhere it would only take time.
    with TopologyTestDriver(app, commit="record" if name == COLLAPSED else "manual") as driver:
        for ts, topic, key, value in sorted(rows):
            driver.pipe(topic, key.encode(), value, ts, None)
        driver.commit()
        for record in driver.output_topic("out", key=bytes, value=bytes).read_all():
            tally.add(record.key, None if record.value is None else msgspec.json.decode(record.value))
    truth = workload.truth(data)
    assert tally.records > 0
    assert tally.problem(truth) is None
    assert tally.problem(Truth(1, 1)) is not None if isinstance(truth, Truth) else True


@pytest.mark.parametrize("name", WORKLOADS)
def test_workload_with_a_result_missing_is_refused(name: str) -> None:
    """A tally of nothing is not what the inputs make."""
    workload = WORKLOADS[name]
    # Few records make windows that are open, and no bids that are the highest.
    count = 30_000 if name in ("closed_windows", "nexmark_q7") else 2_000
    problem = workload.tally().problem(workload.truth(workload.data(count, 20)))
    assert problem is not None
