"""The differences between Apache Kafka and the bundled broker.

Patterns have * for anything, for the step without its number, and for the path in the answer.
"""

# ruff: noqa: E501  (tables are read across)

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
    Explanation(
        "produce", "PRODUCE v9: bad topic name", "*",
        "a name that no topic can have is told from a topic that is not there",
    ),
    Explanation("*", "PRODUCE *", "*.log_start_offset", "told with what was appended only"),
    Explanation(
        "produce", "PRODUCE v9: transactional without a producer", "*",
        "Apache Kafka looks for a right to the transactional id, which there is none of",
    ),
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
        "configs", "INCREMENTAL_ALTER_CONFIGS v1: unknown operation", "*",
        "INVALID_REQUEST says more than UNKNOWN_SERVER_ERROR",
    ),
)  # fmt: skip
"""As they should be. One that no longer shows fails the test."""

OPEN: tuple[Explanation, ...] = (
    Explanation("groups", "OFFSET_DELETE *", "*", "unknown topics and partitions are not told from known ones"),
    Explanation("fetch", "FETCH *: last fetched epoch of the future", "*", "the last fetched epoch is not looked at"),
    Explanation("fetch", "FETCH v12: out of range *", "*", "watermarks are told with the error"),
    Explanation("fetch", "FETCH v13: *", "*", "fetch sessions"),
    Explanation("produce", "PRODUCE v9: *", "*.error_code", "how a batch is refused that is cut or has another magic"),
    Explanation("produce", "PRODUCE v9: far future", "*.record_errors", "timestamps are looked at in the header only"),
    Explanation("produce", "* v*: log append time asked for", "*", "the type of timestamp is not set right"),
    Explanation("produce", "FETCH v12: uncompressed", "*", "batches are not recompressed"),
    Explanation("produce", "PRODUCE v9: * into *", "*", "batches are not recompressed"),
    Explanation("*", "DESCRIBE_PRODUCERS *", "*.coordinator_epoch", "it is always 0"),
    Explanation("protocol", "API_VERSIONS *", "*", "versions and features of Apache Kafka 4.3"),
    Explanation("topics", "CREATE_TOPICS v7: assigned to nobody", "*", "assignments only count partitions"),
    Explanation("topics", "CREATE_PARTITIONS v3: assigned to nobody", "*", "assignments only count partitions"),
    Explanation("topics", "DESCRIBE_CLUSTER *", "*", "how other kinds of endpoint are refused"),
    Explanation("transactions", "INIT_PRODUCER_ID v4: id without epoch", "*", "half an identity is taken for none"),
    Explanation("transactions", "INIT_PRODUCER_ID v4: epoch without id", "*", "half an identity is taken for none"),
    Explanation("transactions", "*", "*producer_id", "so the producer ids behind it are others"),
    Explanation("transactions", "DESCRIBE_TRANSACTIONS *", "*.error_code", "the empty id is like any other"),
    Explanation("transactions", "LIST_TRANSACTIONS v2: all", "transaction_states<x>", "made of half an identity"),
    Explanation("configs", "DESCRIBE_CONFIGS *", "*.synonyms*", "settings of the broker that have no value by default"),
    Explanation("configs", "DESCRIBE_CONFIGS *", "*", "names and resources that are not there, configs of the broker"),
    Explanation("configs", "INCREMENTAL_ALTER_CONFIGS *", "*", "names and resources that are not there or there twice"),
)
"""To be mended; one that no longer shows may be taken out."""
