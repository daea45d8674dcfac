"""W10: Nexmark's queries as workloads. `users` are the people who are active at a time."""

from __future__ import annotations

from typing import Literal

from bench.nexmark.data import NexmarkData
from bench.nexmark.queries import QUERIES
from bench.workload import Workload


def workload(
    query: str, title: str, events: int, progress: Literal["outputs", "commits"] = "commits"
) -> Workload[NexmarkData]:
    """Most results come by way of repartition topics, long after their inputs were read or shortly: outputs tell the
    progress of queries 0 and 1 alone."""
    found = QUERIES[query]
    return Workload(
        f"nexmark_{query.partition('_')[0]}",
        f"W10 Nexmark {title}",
        found.data,
        found.truth,
        found.tally,
        events,
        progress=progress,
        programs={"headrace": ("bench.nexmark.program", query), "kafka_streams": (query,)},
    )


NEXMARK = (
    workload("q0_pass_through", "0, pass through", 2_500_000, "outputs"),
    workload("q1_currency_conversion", "1, currency conversion", 2_500_000, "outputs"),
    workload("q2_selection", "2, selection", 2_500_000),
    workload("q3_local_items", "3, local items", 800_000),
    workload("q4_category_prices", "4, prices by category", 800_000),
    workload("q5_hot_items", "5, hot items", 800_000),
    workload("q6_seller_prices", "6, prices by seller", 1_200_000),
    workload("q7_highest_bid", "7, highest bids", 1_200_000),
    workload("q8_new_sellers", "8, new sellers", 600_000),
)
