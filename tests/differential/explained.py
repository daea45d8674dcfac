"""The differences between Apache Kafka and the bundled broker.

Patterns have * for anything, for the step without its number, and for the path in the answer.
"""

from __future__ import annotations

from tests.differential.comparison import Explanation

MEANT: tuple[Explanation, ...] = (
    Explanation("protocol", "API_VERSIONS *", "api_keys<*>", "broker/SKIPPED.md says which APIs are not served"),
    Explanation("protocol", "API_VERSIONS *", "*_features<*>", "features of clusters, and of groups that are not served"),
    Explanation("protocol", "API_VERSIONS *", "finalized_features_epoch", "the epoch counts changes of a cluster's metadata"),
    Explanation("*", "*", "*error_message", "who is told a text for people: more often here"),
    Explanation(
        "*", "*", "*configs<min.insync.replicas>.*",
        "a newly formatted Apache Kafka sets it for the cluster, for eligible leader replicas (KIP-966)",
    ),
    Explanation(
        "topics", "CREATE_TOPICS v7: three replicas", "topics<replicated>.*",
        "any replication factor is accepted and stored once, unless the broker is told to be strict",
    ),
    Explanation("fetch", "FETCH *", "*.records.cut", "batches are served whole, Apache Kafka cuts the last one"),
    Explanation("fetch", "FETCH *", "*.aborted_transactions", "null where nothing was asked of transactions, also in errors"),
    Explanation("fetch", "FETCH *: isolation 2", "*", "an unknown isolation level is taken for read_uncommitted"),
    Explanation("produce", "PRODUCE v9: one batch and rubbish", "*", "bytes behind a batch are refused, not cut off"),
    Explanation(
        "produce", "PRODUCE v9: bad topic name", "*",
        "a name that no topic can have is told from a topic that is not there",
    ),
    Explanation("produce", "*", "*.log_start_offset", "told with what was appended only"),
    Explanation(
        "produce", "PRODUCE v9: transactional without a producer", "*",
        "Apache Kafka looks for a right to the transactional id, which there is none of",
    ),
    Explanation(
        "produce", "PRODUCE v9: *", "*.log_append_time",
        "of a batch sent again Apache Kafka tells its greatest timestamp, although that is no time of appending",
    ),
    Explanation(
        "groups", "LIST_GROUPS *", "groups<none>",
        "a refused join of a group that was not there leaves an empty one behind in Apache Kafka",
    ),
    Explanation(
        "transactions", "LIST_TRANSACTIONS v2: by duration", "transaction_states",
        "Apache Kafka lists those that never began as if they had lasted for ever",
    ),
    Explanation(
        "transactions", "DESCRIBE_TRANSACTIONS *", "*.producer_*",
        "of what is not there, ids are -1, not 0",
    ),
)  # fmt: skip
"""As they should be. One that no longer shows fails the test."""

OPEN: tuple[Explanation, ...] = ()
"""To be mended; one that no longer shows may be taken out."""
