"""The differences between Apache Kafka and the bundled broker that are meant. One that no longer shows fails the test."""

from __future__ import annotations

from tests.differential.comparison import Explanation

EXPLAINED: tuple[Explanation, ...] = (
    Explanation("protocol", "API_VERSIONS *", "api_keys<*>", "broker/SKIPPED.md says which APIs are not served"),
    Explanation(
        "*",
        "CREATE_TOPICS *",
        "*.configs<min.insync.replicas>.config_source",
        "a newly formatted Apache Kafka sets min.insync.replicas for the cluster, for eligible leader replicas (KIP-966)",
    ),
)
