"""The topology as the page gets it."""

from __future__ import annotations

from pathlib import Path

from tests.streams.query import shop
from tests.streams.query.shop import Group, ask


def test_topology_names_steps_partitions_and_the_users_lines(group: Group) -> None:
    body = ask(group.worker(web=True), "/dashboard/topology").body
    assert body["application_id"] == "shop"
    assert body["partitions"]["orders"] == 4
    assert body["global_tables"] == [{"topic": "countries", "store": "countries"}]
    steps = [step for subtopology in body["subtopologies"] for step in subtopology["steps"]]
    declared = {step["declared"] for step in steps}
    assert all(str(place).startswith(str(Path(shop.__file__))) for place in declared)

    hourly = next(step for step in steps if "hourly" in step["stores"])
    excerpt = body["excerpts"][hourly["declared"]]
    line = int(hourly["declared"].rpartition(":")[2])
    assert 'store="hourly"' in excerpt["lines"][line - excerpt["first"]]


def test_topology_of_a_worker_that_is_starting_is_asked_for_again(group: Group) -> None:
    worker = group.worker(web=True)
    worker.partitions = None
    reply = ask(worker, "/dashboard/topology")
    assert (reply.status, reply.body["reason"], reply.headers["retry-after"]) == (503, "starting", "1")
