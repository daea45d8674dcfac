"""What a worker is told before it starts. Checked and read from the environment at the edge, by `streams.settings`."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

from msgspec import Struct, field

from streams.errors import ConfigError
from streams.runtime.decision import Decision, FailedRecord, HandlerResponse
from streams.runtime.uncaught import UncaughtHandler

ProcessingGuarantee = Literal["exactly_once", "at_least_once"]

FailureHandler = Literal["fail", "continue", "dead_letter"] | Callable[[FailedRecord], Decision | HandlerResponse]
"""What to do with a record that failed: always the same, or what a function answers."""


class WorkerOptions(Struct, frozen=True, kw_only=True):
    """Settings of one worker process. Durations ending in `_ms` are milliseconds, `_s` seconds."""

    application_id: str
    bootstrap_servers: str
    state_dir: Path
    """Stores live in `<state_dir>/<application_id>/<task>/`; the processes of a host share it."""
    instance_id: str | None = None
    """Static membership: a restarted worker with the same id gets its tasks back without a rebalance. None: named after
    its slot."""
    slot: int | None = None
    """The worker's place among those on the same state directory; None: the lowest that is free. See `slot`."""

    processing_guarantee: ProcessingGuarantee = "exactly_once"
    transaction_timeout_ms: int = 10_000
    """After so long the broker aborts the transaction of a worker that is gone; others wait for that."""
    commit_interval_ms: int = 100
    max_dirty_bytes: int = 64 * 1024 * 1024
    """Uncommitted state of all tasks together; above it the worker commits early."""
    block_cache_bytes: int = 64 * 1024 * 1024
    write_buffer_bytes: int = 64 * 1024 * 1024
    """RocksDB memory, shared by all stores of the process."""

    poll_records: int = 5_000
    """At most so many records are taken from the client at a time."""
    poll_ms: int = 100
    """The longest wait for a record when there is nothing else to do."""
    run_records: int = 1_000
    """After so many records the worker looks again which task is oldest."""
    buffered_records: int = 20_000
    """Per partition; above it the partition is paused, and resumed at a quarter of it."""
    buffered_bytes: int = 64 * 1024 * 1024
    """Record bytes (estimated) that all partitions together may buffer."""
    max_task_idle_ms: int = 0
    """-1: never wait for an empty input; 0: wait until the broker says it is empty; above: and then this much longer.
    Source: Kafka's `max.task.idle.ms` (KIP-695)."""
    auto_offset_reset: Literal["earliest", "latest"] = "earliest"
    """Where to begin in a partition without a committed offset, or whose committed offset is no longer kept."""

    watermark_interval_ms: int = 500
    """At most so often a task says how far its time is; see `publisher`."""
    watermark_repeat_ms: int = 10_000
    """How often it says so when its time stands still."""
    watermark_idle_timeout_ms: int = 10_000
    """A task without input for so long no longer holds back those that read what it writes."""

    num_standby_replicas: int = 0
    """Copies of each task's state that other workers keep up to date."""
    acceptable_recovery_lag: int = 10_000
    """Records; state that is less behind its changelogs has caught up, and its task may start there."""
    max_warmup_replicas: int = 2
    """How many tasks are prepared for a move at a time, in the whole group."""
    probing_rebalance_interval_s: float = 600.0
    """How long to wait for the move of tasks that have been prepared, before the group is asked again."""
    client_tags: Mapping[str, str] = field(default_factory=dict[str, str])
    """Where this worker runs; told to the group."""
    rack_aware_assignment_tags: tuple[str, ...] = ()
    """The tags over whose values the copies of a task's state are spread, the weightiest first."""
    state_cleanup_delay_s: float = 600.0
    """State that nobody has written for so long, of tasks that are elsewhere, is deleted."""

    deserialization_handler: FailureHandler = "fail"
    processing_handler: FailureHandler = "fail"
    production_handler: FailureHandler = "fail"
    dead_letter_topic: str | None = None
    """Where records go about which a handler says `dead_letter`; it has to exist."""
    uncaught_exception_handler: UncaughtHandler = "shutdown_worker"

    tracing: bool = False
    """OpenTelemetry spans of every record; see `observe.tracing`."""

    client_config: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """librdkafka properties of every client; the ones below are for one kind of client and stronger."""
    consumer_config: Mapping[str, Any] = field(default_factory=dict[str, Any])
    producer_config: Mapping[str, Any] = field(default_factory=dict[str, Any])
    repartition_purge_interval_ms: int = 30_000
    """How often what was read is deleted from repartition topics."""
    replication_factor: int = -1
    """Of internal topics; -1 leaves it to the broker."""
    topic_config: Mapping[str, str] = field(default_factory=dict[str, str])
    """Topic configs that replace those of internal topics."""

    partition_check_interval_s: float = 60.0
    """How often it is asked whether topics still have the partitions they had."""
    connect_timeout_s: float = 15.0
    """How long the broker may be unreachable when the worker starts."""
    topic_wait_s: float = 3.0
    """How long missing source topics are waited for when the worker starts."""
    lock_timeout_s: float = 30.0
    """How long a task's directory may stay locked by the process that is handing the task over."""
    task_timeout_s: float | None = None
    """How long the broker may not answer a worker that runs, before it ends; None: for ever. See `give_up`."""
    stop_timeout_s: float = 30.0
    """How long a stopping worker may try to commit."""
    session_timeout_ms: int = 45_000
    heartbeat_interval_ms: int = 3_000
    rebalance_timeout_ms: int = 60_000

    query_host: str = "127.0.0.1"
    query_port: int | None = 0
    """HTTP queries; 0 takes a free port, None serves none."""
    web: bool = False
    """The query server has the dashboard too, at `/ui/`."""
    web_port: int | None = None
    """Another port of the dashboard, which all workers of a host may share; None: only that of queries."""
    advertised_host: str | None = None
    """The host by which other workers reach the query server; None: `query_host`, or the host's name where that stands
    for all addresses."""
    query_token: str | None = None
    """What a query has to bring as `Authorization: Bearer …`; all workers of an application share it."""
    query_open: bool = False
    """Other hosts may query without a token."""
    query_tls_certificate: Path | None = None
    query_tls_key: Path | None = None
    """PEM files; with both, queries are served over TLS, between workers too."""
    query_tls_ca: Path | None = None
    """PEM file of who signed the workers' certificates; None: the certificate itself, and those the system trusts."""
    web_read_only: bool | None = None
    """The dashboard writes no records. None: if other hosts can open it without a token."""

    def __post_init__(self) -> None:
        """Raises ConfigError: settings that contradict each other."""
        if self.web and self.query_port is None:
            raise ConfigError(
                "the dashboard (web) is served by the query server, and query_port=None switches that off: give it a "
                "port, or 0 for a free one",
                setting="query_port",
            )
        if self.web_port is not None and not self.web:
            raise ConfigError(
                f"web_port={self.web_port} is of the dashboard, which is switched off: switch it on with web=True "
                "(--web, HEADRACE_WEB=true), or leave the port out",
                setting="web_port",
            )

    @property
    def application_dir(self) -> Path:
        return self.state_dir / self.application_id

    def client(self, role: str) -> dict[str, Any]:
        """The librdkafka properties that every client of this worker has; `role` ends its client id."""
        return {
            "bootstrap.servers": self.bootstrap_servers,
            "client.id": f"{self.application_id}-{socket.gethostname()}-{role}",
            "log.connection.close": False,
            # Otherwise librdkafka 2.16 forgets all brokers when none answers, its transactions' coordinator included,
            # and a commit that was under way when the only broker restarted never ends.
            "metadata.recovery.strategy": "none",
            "reconnect.backoff.max.ms": 1_000,  # the default, 10 s, is as long as a transaction may last
            **self.client_config,
        }
