"""What a broker can be told at its start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

DEFAULT_PORT = 9092


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerOptions:
    """Options of one broker process. Durations in ms, sizes in bytes, names after Kafka's settings."""

    data: Path | None = None
    """Data directory; None: a temporary one that is removed at exit."""
    host: str = "127.0.0.1"
    """Address to listen on."""
    port: int = 0
    """Port to listen on; 0: any free one."""
    advertised_host: str | None = None
    """What clients are told to connect to; None: `host`, or 127.0.0.1 where that is a wildcard. An IPv4 literal is
    best: some clients resolve `localhost` to ::1 first."""
    advertised_port: int | None = None
    """None: the port listened on."""
    schema_registry_port: int | None = None
    """Port of a schema registry with Confluent's REST API on the same host; 0: any free one. None: there is none."""
    fsync: Literal["always", "never"] = "never"
    """"always": a produce is answered after an fdatasync (one for all that wait). "never": what was acknowledged
    survives the death of the process, not the loss of power."""
    default_partitions: int = 1
    """`num.partitions`: of topics created without a count, and of auto-created ones."""
    strict_replication: bool = False
    """Whether a replication factor above 1 is refused, as by one Apache Kafka broker, instead of taken as 1."""
    auto_create_topics: bool = True
    """`auto.create.topics.enable`."""
    topic_defaults: Mapping[str, str] = field(default_factory=dict[str, str])
    """Overrides of topic configs for all topics that do not set them, e.g. {"retention.ms": "-1"}."""
    authorizer: bool = False
    """Whether ACLs are kept and obeyed (`authorizer.class.name`); without, everybody may do everything."""
    super_users: tuple[str, ...] = field(default=(), metadata={"separator": ";"})
    """`super.users`: principals that may do everything, e.g. ("User:admin",)."""
    allow_everyone_if_no_acl_found: bool = False
    """`allow.everyone.if.no.acl.found`: resources that no ACL speaks of are open to everybody."""
    group_initial_rebalance_delay_ms: int = 0
    """`group.initial.rebalance.delay.ms`; Kafka's 3000 makes each first join of a test wait."""
    group_min_session_timeout_ms: int = 1_000
    """`group.min.session.timeout.ms`; Kafka's 6000 makes failure tests slow."""
    group_max_session_timeout_ms: int = 1_800_000
    group_consumer_session_timeout_ms: int = 45_000
    """`group.consumer.session.timeout.ms`, and so on: of groups by the protocol of KIP-848."""
    group_consumer_min_session_timeout_ms: int = 1_000
    """The least that the configs of a group may say; Kafka's 45000 makes failure tests slow."""
    group_consumer_max_session_timeout_ms: int = 60_000
    group_consumer_heartbeat_interval_ms: int = 5_000
    """The longest that members are told; in small groups they are asked to beat more often."""
    group_consumer_min_heartbeat_interval_ms: int = 100
    """Kafka's is 5000."""
    group_consumer_max_heartbeat_interval_ms: int = 15_000
    group_consumer_max_size: int = 2_147_483_647
    group_consumer_migration_policy: Literal["bidirectional", "upgrade", "downgrade", "disabled"] = "bidirectional"
    """`group.consumer.migration.policy`: which groups with members may change between the two protocols."""
    max_request_bytes: int = 104_857_600
    """`socket.request.max.bytes`: a connection that announces more is closed."""
    max_connections: int = 2_147_483_647
    """`max.connections`; never more than half of the files that the process may have open."""
    max_connections_per_ip: int = 2_147_483_647
    """`max.connections.per.ip`."""
    connections_max_idle_ms: int = 600_000
    """`connections.max.idle.ms`: a connection without requests is closed after that time."""
    request_timeout_ms: int = 30_000
    """A request that has begun must be there after that time, plus a second for every 16 KiB of it."""
    queued_max_request_bytes: int = 536_870_912
    """`queued.max.request.bytes` (Kafka's default is none): memory for requests above 4 MiB of all connections
    together; further ones are not read from until there is room."""
    queued_max_response_bytes: int = 536_870_912
    """Bytes of answers that clients have not read yet, of all connections together, above which fetches are given one
    batch at a time."""
    fetch_max_bytes: int = 57_671_680
    """`fetch.max.bytes` of the broker: no answer to a fetch is longer, but for a first batch that is."""
    fetch_session_cache_slots: int = 1_000
    """`max.incremental.fetch.session.cache.slots`; 0: no sessions, clients send full fetches."""
    retention_check_ms: int = 300_000
    """`log.retention.check.interval.ms`."""
    cleaner_backoff_ms: int = 15_000
    """`log.cleaner.backoff.ms`: how often compacted topics are looked through for what is due."""
    cleaner_map_bytes: int = 134_217_728
    """`log.cleaner.dedupe.buffer.size`: memory for the keys of one compaction pass, in the cleaner's process."""
    transaction_max_timeout_ms: int = 900_000
    """`transaction.max.timeout.ms`: producers may not ask for longer ones."""
    transactional_id_expiration_ms: int = 604_800_000
    """`transactional.id.expiration.ms`."""
    producer_id_expiration_ms: int = 86_400_000
    """`producer.id.expiration.ms`."""
