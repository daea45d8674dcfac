"""What a broker can be told at its start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from broker.security.sasl import Sasl
from broker.security.tls import Tls
from broker.server.listener import Listener

DEFAULT_PORT = 9092


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerOptions:
    """Options of one broker process. Durations in ms, sizes in bytes, names after Kafka's settings.

    Each field is a setting of `headrace broker`, the environment and settings files by that alone (`broker.settings`),
    and so are the fields of a field that is a dataclass: its docstring is the documentation, and where that opens with
    a dotted name in backticks, Kafka's name of it.
    Secrets have `field(repr=False)`. A number may not be below 0, a port not above 65535, but for what
    `field(metadata={"low": …, "high": …})` says.
    """

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
    """The port that clients are told; None: the one listened on."""
    node_id: int = 1
    """`node.id`: the number by which clients know the broker."""
    listeners: tuple[Listener, ...] = ()
    """Addresses with protocols of their own: "SASL_SSL://0.0.0.0:9093,PLAINTEXT://127.0.0.1:9092", or tables
    `[[broker.listeners]]`. With any, `host`, `port` and what is advertised of them are not listened on. The first is
    the one that `Broker` and announcements tell. Without, the only listener has TLS and SASL where `tls` and `sasl`
    are there."""
    tls: Tls | None = None
    """Of listeners with TLS that have none of their own."""
    sasl: Sasl | None = None
    """Of listeners with SASL that have none of their own."""
    failed_authentication_delay_ms: int = 100
    """`connection.failed.authentication.delay.ms`: a refused client waits that long for its answer."""
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
    """`auto.create.topics.enable`: topics are made when they are first asked for."""
    topic_defaults: Mapping[str, str] = field(default_factory=dict[str, str])
    """Overrides of topic configs for all topics that do not set them, e.g. {"retention.ms": "-1"}."""
    authorizer: bool = False
    """Whether ACLs are kept and obeyed (`authorizer.class.name`); without, everybody may do everything."""
    super_users: tuple[str, ...] = field(default=(), metadata={"separator": ";"})
    """`super.users`: principals that may do everything, e.g. ("User:admin",)."""
    allow_everyone_if_no_acl_found: bool = False
    """`allow.everyone.if.no.acl.found`: resources that no ACL speaks of are open to everybody."""
    group_initial_rebalance_delay_ms: int = 0
    """`group.initial.rebalance.delay.ms`: how long a group's first member waits for company; Kafka's 3000
    makes each first join of a test wait."""
    group_min_session_timeout_ms: int = 1_000
    """`group.min.session.timeout.ms`: a shorter session is refused; Kafka's 6000 makes failure tests slow."""
    group_heartbeat_hold_ms: int = 3_000
    """The longest that a heartbeat of a classic group waits for news, so that members learn of a rebalance at once;
    never for more than a fifteenth of the session timeout. 0: it is answered at once, as by Apache Kafka."""
    group_max_session_timeout_ms: int = 1_800_000
    """`group.max.session.timeout.ms`: a longer session is refused."""
    group_max_size: int = 2_147_483_647
    """`group.max.size`: one member more is refused."""
    offset_metadata_max_bytes: int = 4_096
    """`offset.metadata.max.bytes`: longer metadata of a committed offset is refused."""
    offsets_retention_minutes: int = 10_080
    """`offsets.retention.minutes`: committed offsets go this long after their group became empty."""
    group_consumer_session_timeout_ms: int = 45_000
    """`group.consumer.session.timeout.ms`: a member of a KIP-848 group that is silent for so long is out."""
    group_consumer_min_session_timeout_ms: int = 1_000
    """`group.consumer.min.session.timeout.ms`: the least that the configs of a group may say; Kafka's 45000 makes
    failure tests slow."""
    group_consumer_max_session_timeout_ms: int = 60_000
    """`group.consumer.max.session.timeout.ms`: the most that the configs of a group may say."""
    group_consumer_heartbeat_interval_ms: int = 5_000
    """`group.consumer.heartbeat.interval.ms`: the longest that members are told; in small groups they are asked to beat
    more often."""
    group_consumer_min_heartbeat_interval_ms: int = 100
    """`group.consumer.min.heartbeat.interval.ms`: the least that the configs of a group may say; Kafka's is 5000."""
    group_consumer_max_heartbeat_interval_ms: int = 15_000
    """`group.consumer.max.heartbeat.interval.ms`: the most that the configs of a group may say."""
    group_consumer_max_size: int = 2_147_483_647
    """`group.consumer.max.size`: one member more is refused."""
    group_consumer_migration_policy: Literal["bidirectional", "upgrade", "downgrade", "disabled"] = "bidirectional"
    """`group.consumer.migration.policy`: which groups with members may change between the two protocols."""
    max_request_bytes: int = 104_857_600
    """`socket.request.max.bytes`: a connection that announces more is closed."""
    max_connections: int = 2_147_483_647
    """`max.connections`: one more is closed; never more than half of the files that the process may have open."""
    max_connections_per_ip: int = 2_147_483_647
    """`max.connections.per.ip`: the same for one address."""
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
    """`log.retention.check.interval.ms`: how often logs are looked through for what is too old or too much."""
    cleaner_backoff_ms: int = 15_000
    """`log.cleaner.backoff.ms`: how often compacted topics are looked through for what is due."""
    cleaner_map_bytes: int = 134_217_728
    """`log.cleaner.dedupe.buffer.size`: memory for the keys of one compaction pass, in the cleaner's process."""
    transaction_max_timeout_ms: int = 900_000
    """`transaction.max.timeout.ms`: producers may not ask for longer ones."""
    transactional_id_expiration_ms: int = 604_800_000
    """`transactional.id.expiration.ms`: an id that nobody uses for so long is forgotten."""
    producer_id_expiration_ms: int = 86_400_000
    """`producer.id.expiration.ms`: an idempotent producer that is silent for so long is forgotten."""
    metrics_port: int | None = None
    """Port of an HTTP server with metrics in Prometheus' text format (/metrics) and health checks (/health/live,
    /health/ready); 0: any free one. None: there is none."""
    metrics_host: str = "127.0.0.1"
    """Address that the metrics are served on."""
    log_requests: bool = False
    """Whether each request is logged, one line. SIGUSR2 switches it on and off in a running broker."""
    faults: tuple[str, ...] = ()
    """Faults from the start on, for tests of clients, such as "EndTxn:delay=500"; see `Fault.parse`."""
