"""An application's settings: what its constructor was given, else the environment, else a file, else the default."""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, InitSettingsSource, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from streams.client_properties import JAVA_ONLY, masked, properties_from_environment
from streams.errors import ConfigError
from streams.serde import SchemaRegistry
from streams.serde.registry import SubjectNames
from streams.settings.named_function import named_function
from streams.settings_file import BROKER_TABLE, PREFIX, SettingsFile, find_settings_file

MILLISECOND = timedelta(milliseconds=1)
POSITIVE_DURATIONS = (
    "commit_interval",
    "watermark_idle_timeout",
    "session_timeout",
    "state_cleanup_delay",
    "probing_rebalance_interval",
    "task_timeout",
)
FailureHandler = Literal["fail", "continue", "dead_letter"] | Callable[[Any], Any]
"""A name, or a function of a `FailedRecord` that answers with one or with a `HandlerResponse`; in the environment and
in files a function is named as `package.module:function`."""
UncaughtHandler = Literal["replace_worker", "shutdown_worker", "shutdown_application"] | Callable[[Exception], Any]
HANDLERS = ("deserialization_handler", "processing_handler", "production_handler")

MOST_TAGS, LONGEST_TAG_NAME, LONGEST_TAG = 5, 20, 30
"""Source: `MAX_RACK_AWARE_ASSIGNMENT_TAG_*` of `StreamsConfig`."""

Optimization = Literal["reuse_ktable_source_topics", "merge_repartition_topics", "single_store_self_join"]
"""A change to how a topology runs that spares topics or stores and changes no result. Source:
`StreamsConfig.TOPOLOGY_OPTIMIZATION_CONFIG`, with underscores for its dots."""


class AppSettings(BaseSettings):
    """Every field but the first can be set as `HEADRACE_<FIELD>`, such as `HEADRACE_STATE_DIR=/var/lib/headrace`, or
    by its name in `headrace.toml` (see `streams.settings_file`). Properties of the client are gathered from everywhere;
    of one that is set twice, the stronger place counts."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid", arbitrary_types_allowed=True)

    application_id: str = Field(min_length=1, pattern=r"^[A-Za-z0-9._-]{1,200}$")
    """Names the consumer group, and begins the names of internal topics and of the state directory."""
    bootstrap_servers: str | None = None
    """`host:port[,host:port]` of the log. None: the running `headrace dev` or `broker` found upward from the working
    directory, else 127.0.0.1:9092."""
    state_dir: Path = Path(".headrace/state")
    """Where stores live, in a folder per application and task."""
    processing_guarantee: Literal["exactly_once", "at_least_once"] = "exactly_once"
    """Outputs, state and offsets are committed in one transaction, or a crash may have some records processed twice.
    Readers of the outputs have to read committed records only, as most clients do unless told otherwise."""
    commit_interval: timedelta | None = None
    """How often offsets and state are committed. None: every 100 ms, every second with at least once."""
    emit_updates: Literal["all", "commit"] = "all"
    """`all` forwards every change of a table or an aggregate as it comes; `commit` collapses the changes of a key and
    forwards the last one at the commit, as Kafka Streams' record cache does. A key that came and went in between shows
    nothing."""
    topology_optimization: Annotated[frozenset[Optimization], NoDecode] = frozenset()
    """`"none"`, `"all"`, or names of optimizations, in one string with commas or as a collection.

    `reuse_ktable_source_topics`: tables that are read from a topic have no changelog of their own, but are restored
    from that topic, which has to keep at least the last record of each key (be compacted). `merge_repartition_topics`:
    streams that branch off behind one change of the key share a repartition topic. `single_store_self_join` may
    be named as in Kafka Streams, but is always done. To switch the others for an application that has run, its state
    and internal topics have to be reset first. Source: `topology.optimization`."""
    validate_values: Literal["all", "read"] = "all"
    """`all` checks every value against its declared type; `read` decodes only the fields that somebody reads."""
    deserialization_handler: FailureHandler = "fail"
    """What to do with a record that does not decode: `fail`, `continue` (drop and count), `dead_letter` (drop, count,
    and write it to the `dead_letter_topic`), or a function that says: `module:function` here."""
    processing_handler: FailureHandler = "fail"
    """The same for a record on which a user's function raises; it is dropped at that operator."""
    production_handler: FailureHandler = "fail"
    """The same for a record of which something was to be written that does not encode, or that the log refuses."""
    dead_letter_topic: str | None = None
    """The topic of dead letters: records that could not be processed, as they were read, with what went wrong in their
    headers. It has to exist. Source: `errors.dead.letter.queue.topic.name` (KIP-1034)."""
    uncaught_exception_handler: UncaughtHandler = "shutdown_worker"
    """What becomes of a worker that cannot go on: `shutdown_worker` (it ends with the error), `replace_worker` (it
    begins anew in its place, after a pause that grows), `shutdown_application` (all workers end, and are not started
    again by `headrace worker`), or a function of the exception that says. Source: KIP-671."""
    session_timeout: timedelta = timedelta(seconds=45)
    """A worker that the group has not heard of for this long loses its tasks to the others. Kafka's
    `session.timeout.ms`; a replacement in the same place takes over without waiting for it."""
    task_timeout: timedelta | None = None
    """How long the broker may not answer a worker that runs, before the worker ends with an error. None: it is waited
    for without an end. At a start it is 15 s. Source: `task.timeout.ms`, of which the default is 5 minutes."""
    schema_registry_url: str | None = None
    """`http://host:port` of the schema registry of serdes that name none themselves, several with commas."""
    schema_registry_auto_register: bool = True
    """A schema that a subject does not have is registered when the first record is written; else it has to be there.
    Source: Confluent's `auto.register.schemas`."""
    schema_registry_use_latest_version: bool = False
    """Records are written with the subject's latest schema. Source: Confluent's `use.latest.version`."""
    schema_registry_subject_names: SubjectNames = "topic"
    """`topic`, `record` or `topic_record`. Source: Confluent's subject name strategies."""
    schema_registry_config: dict[str, Any] = Field(default_factory=dict)
    """Properties of confluent-kafka's `SchemaRegistryClient`, such as `basic.auth.user.info`."""
    client_config: dict[str, Any] = Field(default_factory=dict)
    """librdkafka properties passed to every client, such as `security.protocol`. One by one in the environment:
    `HEADRACE_CLIENT_SECURITY_PROTOCOL`."""
    max_task_idle: timedelta = timedelta(0)
    """How long a task with several inputs waits for an empty one after the broker has said that nothing is there, so
    that inputs are merged in the order of their timestamps. Negative: it never waits, not even for the broker's word.
    Source: `max.task.idle.ms` (KIP-695)."""
    watermark_idle_timeout: timedelta = timedelta(seconds=10)
    """After this long without input, a task no longer holds back the clocks of those behind its repartition topics."""
    query_host: str = "127.0.0.1"
    """Where workers listen for HTTP queries. Beyond loopback (`0.0.0.0`, a name, an address) a `query_token` is asked
    for."""
    query_port: int = Field(default=0, ge=0, le=65535)
    """The port of HTTP queries; 0 takes a free one, which is what several processes on a host need."""
    web: bool = False
    """Serves the dashboard at `/ui/` of where queries are served."""
    web_port: int | None = Field(default=None, ge=1, le=65535)
    """A port of the dashboard that the workers of a host share, whichever of them answers. With `web`."""
    query_advertised_host: str | None = None
    """The host by which other workers and people reach this one. None: `query_host`, or the host's name where that
    stands for all addresses."""
    query_token: SecretStr | None = None
    """What a query has to bring as `Authorization: Bearer …`. All workers of an application, and `headrace query`, take
    the same; health checks need none."""
    query_open: bool = False
    """Lets other hosts query without a token."""
    query_tls_certificate: Path | None = None
    query_tls_key: Path | None = None
    """PEM files. With both, queries are served over TLS, and workers ask each other over TLS."""
    query_tls_ca: Path | None = None
    """PEM file of who signed the workers' certificates. None: the certificate itself, and those the system trusts."""
    web_read_only: bool | None = None
    """Whether the dashboard only shows: no records are produced, and no dead letters sent again. None: it is so where
    other hosts can open it without a token."""
    state_cleanup_delay: timedelta = timedelta(minutes=10)
    """State of tasks that moved to another host is deleted when nobody has written it for this long."""
    num_standby_replicas: int = Field(default=0, ge=0)
    """How many copies of each task's state other workers keep up to date, so that the task can go on there at once if
    its own worker is gone. On other hosts, or at least in other state directories. Source: `num.standby.replicas`."""
    acceptable_recovery_lag: int = Field(default=10_000, ge=0)
    """In records: state that lacks no more counts as caught up, so that its task may start there. Source:
    `acceptable.recovery.lag` (KIP-441)."""
    max_warmup_replicas: int = Field(default=2, ge=1)
    """How many tasks the group prepares for a move at a time, by copying their state to where they are to go. Source:
    `max.warmup.replicas` (KIP-441)."""
    probing_rebalance_interval: timedelta = timedelta(minutes=10)
    """How long after a rebalance a worker asks again whether tasks that were prepared can move to it. It asks at once
    when their state has caught up, so this is for emergencies. Source: `probing.rebalance.interval.ms` (KIP-441)."""

    client_tags: Annotated[dict[str, str], NoDecode] = Field(default_factory=dict)
    """Where this worker runs, such as `{"zone": "eu-1a", "cluster": "blue"}`, or `zone=eu-1a,cluster=blue` as text: up
    to 5 names of up to 20 characters, values of up to 30. Source: `client.tag.<name>` (KIP-708)."""
    rack_aware_assignment_tags: Annotated[tuple[str, ...], NoDecode] = ()
    """Names of tags, the weightiest first, or one text with commas: the copies of a task's state lie with workers whose
    values of these differ, as long as there are such. Source: `rack.aware.assignment.tags` (KIP-708)."""

    tracing: bool = False
    """OpenTelemetry: a span for each record processed or sent, and W3C trace context in the records' headers. Spans go
    to the tracer provider of the program. Needs the extra `headrace[otel]`, and costs a span for each record."""

    def schema_registry(self) -> SchemaRegistry | None:
        """The registry that the settings name."""
        if self.schema_registry_url is None:
            return None
        return SchemaRegistry(
            self.schema_registry_url,
            auto_register=self.schema_registry_auto_register,
            use_latest_version=self.schema_registry_use_latest_version,
            subject_names=self.schema_registry_subject_names,
            config=self.schema_registry_config,
        )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The strongest first."""
        properties = properties_from_environment(os.environ)
        file = find_settings_file(os.environ, Path.cwd())
        # To look each field up in the environment is half of the time that an `App` takes.
        named = any(name.upper().startswith(PREFIX) for name in os.environ)
        return (
            init_settings,
            InitSettingsSource(settings_cls, {"client_config": properties} if properties else {}),
            *((env_settings,) if named else ()),
            InitSettingsSource(settings_cls, dict(_checked(file)) if file is not None else {}),
        )

    def __repr_args__(self) -> Any:
        """Secrets are not shown."""
        for name, value in super().__repr_args__():
            yield name, masked(name, value) if name else value

    @field_validator("client_config")
    @classmethod
    def _not_java(cls, value: dict[str, Any]) -> dict[str, Any]:
        for name, instead in JAVA_ONLY.items():
            if name in value:
                raise ValueError(f"{name} is a property of the Java client; here it is {instead}")
        return value

    @field_validator(*HANDLERS, "uncaught_exception_handler", mode="before")
    @classmethod
    def _handler(cls, value: object) -> object:
        """A function may be named by its module and its name."""
        return named_function(value) if isinstance(value, str) and ":" in value else value

    @model_validator(mode="after")
    def _dead_letters(self) -> AppSettings:
        handlers = [getattr(self, name) for name in HANDLERS]
        if "dead_letter" in handlers and self.dead_letter_topic is None:
            raise ValueError(
                f"{HANDLERS[handlers.index('dead_letter')]} is 'dead_letter', and there is no topic for dead letters: "
                "set dead_letter_topic"
            )
        if self.dead_letter_topic is not None and all(each in ("fail", "continue") for each in handlers):
            raise ValueError(
                "dead_letter_topic is set, but no handler writes to it: set deserialization_handler, "
                "processing_handler or production_handler to 'dead_letter'"
            )
        return self

    @field_validator("client_tags", mode="before")
    @classmethod
    def _tags(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        pairs = [pair.partition("=") for pair in value.split(",") if pair.strip()]
        if any(not sign for _, sign, _ in pairs):
            raise ValueError(f"{value!r} is no list of tags: write them as zone=eu-1a,cluster=blue")
        return {name.strip(): tag.strip() for name, _, tag in pairs}

    @field_validator("client_tags")
    @classmethod
    def _short_tags(cls, value: dict[str, str]) -> dict[str, str]:
        """They are told to the whole group."""
        if len(value) > MOST_TAGS:
            raise ValueError(f"there are {len(value)} tags, and {MOST_TAGS} are allowed")
        for name, tag in value.items():
            if not 0 < len(name) <= LONGEST_TAG_NAME or not 0 < len(tag) <= LONGEST_TAG:
                raise ValueError(
                    f"tag {name!r} is {tag!r}: names have 1 to {LONGEST_TAG_NAME} characters, values 1 to {LONGEST_TAG}"
                )
        return value

    @field_validator("rack_aware_assignment_tags", mode="before")
    @classmethod
    def _tag_names(cls, value: object) -> object:
        return [name.strip() for name in value.split(",") if name.strip()] if isinstance(value, str) else value

    @model_validator(mode="after")
    def _known_tags(self) -> AppSettings:
        missing = [name for name in self.rack_aware_assignment_tags if name not in self.client_tags]
        if missing:
            raise ValueError(
                f"rack_aware_assignment_tags names {missing[0]!r}, which this worker does not say of itself: set it in "
                "client_tags"
            )
        return self

    @field_validator("topology_optimization", mode="before")
    @classmethod
    def _optimizations(cls, value: object) -> object:
        """Kafka's dots in the names are welcome too."""
        if not isinstance(value, str):
            return value
        if value == "all":
            return get_args(Optimization)
        return () if value == "none" else [name.strip().replace(".", "_") for name in value.split(",")]

    @field_validator(*POSITIVE_DURATIONS, mode="before")
    @classmethod
    def _seconds(cls, value: object) -> object:
        """A bare number in the environment is seconds."""
        try:
            return float(value) if isinstance(value, str) else value
        except ValueError:
            return value

    @field_validator(*POSITIVE_DURATIONS)
    @classmethod
    def _positive(cls, value: timedelta | None) -> timedelta | None:
        if value is not None and value <= timedelta(0):
            raise ValueError("must be longer than zero")
        return value

    def chosen_commit_interval(self) -> timedelta:
        """As set, else the default of the guarantee. Source: Kafka Streams' `commit.interval.ms`."""
        if self.commit_interval is not None:
            return self.commit_interval
        return timedelta(milliseconds=100) if self.processing_guarantee == "exactly_once" else timedelta(seconds=1)

    def worker_options(self) -> dict[str, Any]:
        """What the settings say in terms of `WorkerOptions`, but for where log and state are."""
        interval_ms = self.chosen_commit_interval() // MILLISECOND
        session_ms = self.session_timeout // MILLISECOND
        return {
            "processing_guarantee": self.processing_guarantee,
            "commit_interval_ms": interval_ms,
            "transaction_timeout_ms": max(10_000, 5 * interval_ms),
            "session_timeout_ms": session_ms,
            "heartbeat_interval_ms": min(3_000, session_ms // 3),
            "task_timeout_s": None if self.task_timeout is None else self.task_timeout.total_seconds(),
            "deserialization_handler": self.deserialization_handler,
            "processing_handler": self.processing_handler,
            "production_handler": self.production_handler,
            "dead_letter_topic": self.dead_letter_topic,
            "uncaught_exception_handler": self.uncaught_exception_handler,
            "client_config": self.client_config,
            "tracing": self.tracing,
            "max_task_idle_ms": self.max_task_idle // MILLISECOND,
            "num_standby_replicas": self.num_standby_replicas,
            "acceptable_recovery_lag": self.acceptable_recovery_lag,
            "max_warmup_replicas": self.max_warmup_replicas,
            "probing_rebalance_interval_s": self.probing_rebalance_interval.total_seconds(),
            "client_tags": self.client_tags,
            "rack_aware_assignment_tags": self.rack_aware_assignment_tags,
            "state_cleanup_delay_s": self.state_cleanup_delay.total_seconds(),
            "query_host": self.query_host,
            "query_port": self.query_port,
            "web": self.web,
            "web_port": self.web_port,
            "advertised_host": self.query_advertised_host,
            "query_token": None if self.query_token is None else self.query_token.get_secret_value(),
            "query_open": self.query_open,
            "query_tls_certificate": self.query_tls_certificate,
            "query_tls_key": self.query_tls_key,
            "query_tls_ca": self.query_tls_ca,
            "web_read_only": self.web_read_only,
            "watermark_idle_timeout_ms": self.watermark_idle_timeout // MILLISECOND,
        }


def application_settings(application_id: str, given: Mapping[str, Any]) -> AppSettings:
    """The settings of an application, from what its constructor was given and from everywhere else.

    Raises:
        ConfigError: a setting is unknown or malformed, or the file cannot be read.
    """
    try:
        return AppSettings(application_id=application_id, **given)
    except ValidationError as error:
        first = error.errors()[0]
        setting = ".".join(str(part) for part in first["loc"])
        if first["type"] == "extra_forbidden":
            raise ConfigError(f"there is no setting {setting!r}{_meant(setting)}", setting=setting) from None
        if not setting:
            raise ConfigError(first["msg"].removeprefix("Value error, ")) from error
        message = "is not a duration: give seconds, a timedelta, or ISO 8601 such as PT0.5S"
        if not first["type"].startswith("time_delta"):
            message = first["msg"].removeprefix("Value error, ")
        raise ConfigError(f"setting {setting!r}: {message}{_place(setting, given)}", setting=setting) from error


def _checked(file: SettingsFile) -> Mapping[str, Any]:
    for name in file.values:
        if name == BROKER_TABLE:
            continue
        if name == "application_id":
            raise ConfigError(f"{file.path} sets application_id, which is the first argument of App", setting=name)
        if name not in AppSettings.model_fields:
            raise ConfigError(f"{file.path}: there is no setting {name!r}{_meant(name)}", setting=name)
    values = {name: value for name, value in file.values.items() if name != BROKER_TABLE}
    if "state_dir" in values:
        values["state_dir"] = file.path.parent / str(values["state_dir"])
    return values


def _meant(name: str) -> str:
    near = difflib.get_close_matches(name.replace(".", "_"), list(AppSettings.model_fields), n=1)
    return f"; did you mean {near[0]!r}?" if near else "; `headrace config show` lists them"


def _place(setting: str, given: Mapping[str, Any]) -> str:
    """Where a malformed setting was set, if that is not the line that is being run."""
    name = setting.partition(".")[0]
    if name in given or name == "application_id":
        return ""
    if PREFIX + name.upper() in os.environ:
        return f" (from {PREFIX}{name.upper()})"
    file = find_settings_file(os.environ, Path.cwd())
    return f" (from {file.path})" if file is not None and name in file.values else ""
