"""The differences between Apache Kafka and the bundled broker.

Patterns have * for anything, for the step without its number, and for the path in the answer.
"""

# ruff: noqa: E501  (tables are read across)

from __future__ import annotations

from tests.differential.comparison import Explanation

MEANT: tuple[Explanation, ...] = (
    Explanation("protocol", "API_VERSIONS *", "*max_version", "this broker is Apache Kafka 4.2, what was recorded is 4.3"),
    Explanation("protocol", "API_VERSIONS *", "finalized_features<metadata.version>.*", "for the same reason"),
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
    Explanation(
        "produce", "PRODUCE v9: bad topic name", "*",
        "a name that no topic can have is told from a topic that is not there",
    ),
    Explanation("*", "PRODUCE *", "*.log_start_offset", "told with what was appended only"),
    Explanation("produce", "* v*: codec *", "*", "UNSUPPORTED_COMPRESSION_TYPE says more than UNKNOWN_SERVER_ERROR"),
    Explanation(
        "produce", "* v*: gzip that is none", "*",
        "batches that need not be opened stay as they come; where one is, it is CORRUPT_MESSAGE",
    ),
    Explanation("produce", "* v*: one batch and rubbish", "*", "bytes behind a batch are refused, not cut off"),
    Explanation(
        "produce", "FETCH v12: max timestamp too *", "*.max_timestamp",
        "batches stay as they come, Apache Kafka reads each record and puts the right timestamp in",
    ),
    Explanation(
        "produce", "LIST_OFFSETS v7: max timestamp too large", "*",
        "for the same reason no record is found with the timestamp that the batch claims",
    ),
    Explanation(
        "produce", "PRODUCE v9: *", "*.log_append_time",
        "of a batch sent again Apache Kafka tells its greatest timestamp, although that is no time of appending",
    ),
    Explanation(
        "*", "DESCRIBE_PRODUCERS *", "*.last_timestamp",
        "when the broker last heard of the producer, by its clock, not by the records' timestamps: expiry counts from it",
    ),
    Explanation(
        "groups", "LIST_GROUPS *", "groups<none>",
        "a refused join of a group that was not there leaves an empty one behind in Apache Kafka",
    ),
    Explanation(
        "transactions", "LIST_TRANSACTIONS v2: by duration", "transaction_states",
        "Apache Kafka lists those that never began as if they had lasted for ever",
    ),
    Explanation("transactions", "DESCRIBE_TRANSACTIONS *", "*.producer_*", "of what is not there, ids are -1, not 0"),
    Explanation(
        "*", "CONSUMER_GROUP_HEARTBEAT *", "heartbeat_interval",
        "members of small groups are asked for heartbeats more often, so that rebalances take less time",
    ),
    Explanation(
        "admin", "DESCRIBE_CONFIGS *", "*configs<s*.*>",
        "there are no share groups and streams groups, whose configs these are",
    ),
    Explanation("admin", "DESCRIBE_CONFIGS *", "*configs<consumer.assignment.interval.ms>", "a config of Apache Kafka 4.3"),
    Explanation(
        "admin", "ALTER_USER_SCRAM_CREDENTIALS v0: put of a user twice", "*",
        "Apache Kafka takes one line of each user, here it is one of each user and mechanism",
    ),
    Explanation(
        "consumers", "CONSUMER_GROUP_HEARTBEAT v1: by *", "*",
        "topics are found by pattern at once, in Apache Kafka some time after the heartbeat",
    ),
    Explanation(
        "configs", "INCREMENTAL_ALTER_CONFIGS v1: unknown operation", "*",
        "INVALID_REQUEST says more than UNKNOWN_SERVER_ERROR",
    ),
)  # fmt: skip
"""As they should be. One that no longer shows fails the test."""
