"""A schema registry as serdes use it: which id a schema has under a subject, and which schema an id stands for.

Everything is asked once: ids and schemas never change their meaning. What a registry answers for "latest" is kept for
as long as the process runs.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal

from msgspec import Struct
from msgspec.structs import replace

from streams.errors import ConfigError, SchemaRegistryError
from streams.serde.extras import extra
from streams.serde.framing import FrameError
from streams.serde.serde import Destination, Serde

if TYPE_CHECKING:
    from confluent_kafka.schema_registry import SchemaRegistryClient

SubjectNames = Literal["topic", "record", "topic_record"]
SchemaType = Literal["AVRO", "JSON", "PROTOBUF"]

NOT_FOUND = (404,)
REFUSED = (409, 422)


class SchemaReference(Struct, frozen=True):
    """A schema that another one uses: by `name` in its text, registered as that version of `subject`."""

    name: str
    subject: str
    version: int


class SchemaText(Struct, frozen=True):
    """A schema as a registry has it."""

    kind: SchemaType
    text: str
    references: tuple[SchemaReference, ...] = ()


class IdentifiedSchema(Struct, frozen=True):
    """A schema with its id."""

    id: int
    schema: SchemaText


class SchemaRegistry:
    """Where serdes register their schemas and look up others'. Any thread may use it.

    Args:
        url: `http://host:port`, several with commas; `mock://name` is a registry in this process's memory, for tests.
        auto_register: a schema that the subject does not have is registered when the first record is written; False:
            it has to be there.
        use_latest_version: records are written with the subject's latest schema instead of their type's own.
        subject_names: `topic` gives `<topic>-key` and `<topic>-value`, `record` the full name of the record's schema,
            `topic_record` both: `<topic>-<record>`. Source: Confluent's subject name strategies.
        normalize: the registry looks a schema up, and registers it, in its normal form.
        config: properties of confluent-kafka's `SchemaRegistryClient`, such as `basic.auth.user.info`.

    Raises:
        ConfigError: the client is not installed, or does not take a property.
    """

    def __init__(
        self,
        url: str,
        *,
        auto_register: bool = True,
        use_latest_version: bool = False,
        subject_names: SubjectNames = "topic",
        normalize: bool = False,
        config: Mapping[str, Any] | None = None,
    ) -> None:
        self.url = url
        self.auto_register = auto_register
        self.use_latest_version = use_latest_version
        self.subject_names: SubjectNames = subject_names
        self.normalize = normalize
        self._config = {"url": url, **(config or {})}
        self._client: SchemaRegistryClient | None = None
        self._guard = threading.Lock()

    def __repr__(self) -> str:
        return f"SchemaRegistry({self.url!r})"

    def subject(self, destination: Destination, record: str) -> str:
        """What the schema of records called `record` is registered under."""
        if self.subject_names == "record":
            return record
        if self.subject_names == "topic_record":
            return f"{destination.topic}-{record}"
        return f"{destination.topic}-{destination.role}"

    @property
    def client(self) -> SchemaRegistryClient:
        """confluent-kafka's client, made when it is first asked for."""
        with self._guard:
            client = self._client
            if client is None:
                library = extra("confluent_kafka.schema_registry", "schema-registry", "a schema registry")
                try:
                    client = self._client = library.SchemaRegistryClient.new_client(self._config)
                except (ValueError, TypeError) as error:
                    raise ConfigError(f"schema registry {self.url}: {error}", setting="schema_registry_url") from error
                weakref.finalize(self, client.close)  # its connections
            return client

    def to_write(self, subject: str, schema: SchemaText) -> IdentifiedSchema:
        """The schema to write records with that belong to `subject`, and its id. Raises SchemaRegistryError."""
        library = extra("confluent_kafka.schema_registry", "schema-registry", "a schema registry")
        if self.use_latest_version:
            latest = self._asked(f"the latest schema of {subject}", lambda: self.client.get_latest_version(subject))
            return IdentifiedSchema(latest.schema_id, _text(latest.schema))
        wanted = library.Schema(schema.text, schema.kind, [_their_reference(library, one) for one in schema.references])
        if self.auto_register:
            told = self._asked(
                f"a schema for {subject}",
                lambda: self.client.register_schema(subject, wanted, normalize_schemas=self.normalize),
            )
            return IdentifiedSchema(told, schema)
        found = self._asked(
            f"the schema of {subject}",
            lambda: self.client.lookup_schema(subject, wanted, normalize_schemas=self.normalize),
        )
        return IdentifiedSchema(found.schema_id, schema)

    def by_id(self, schema_id: int, *, form: str | None = None) -> SchemaText:
        """The schema with that id; `form` asks for another text of it.

        Raises:
            FrameError: there is none, so these bytes are not what they begin as.
            SchemaRegistryError: the registry cannot be asked.
        """
        try:
            return _text(self._asked(f"schema {schema_id}", lambda: self.client.get_schema(schema_id, fmt=form)))
        except SchemaRegistryError as error:
            if getattr(error.__cause__, "http_status_code", None) in NOT_FOUND:
                raise FrameError(
                    f"schema registry {self.url} has no schema {schema_id}, which the bytes name"
                ) from error
            raise

    def version(self, reference: SchemaReference) -> SchemaText:
        """The schema that a reference stands for. Raises SchemaRegistryError."""
        found = self._asked(
            f"version {reference.version} of {reference.subject}",
            lambda: self.client.get_version(reference.subject, reference.version),
        )
        return _text(found.schema)

    def version_of(self, subject: str, schema: SchemaText) -> int:
        """Which version of `subject` a schema is that is registered there. Raises SchemaRegistryError."""
        library = extra("confluent_kafka.schema_registry", "schema-registry", "a schema registry")
        wanted = library.Schema(schema.text, schema.kind, [_their_reference(library, one) for one in schema.references])
        return self._asked(f"the schema of {subject}", lambda: self.client.lookup_schema(subject, wanted)).version

    def _asked(self, what: str, ask: Callable[[], Any]) -> Any:
        library = extra("confluent_kafka.schema_registry.error", "schema-registry", "a schema registry")
        try:
            return ask()
        except library.SchemaRegistryError as error:
            status = error.http_status_code
            cure = "ask whoever runs the registry"
            if status in NOT_FOUND:
                cure = "register it first, or let the application do so (schema_registry_auto_register)"
            elif status in REFUSED:
                cure = "change the type so that it fits its earlier versions, or the subject's compatibility level"
            message = (
                f"schema registry {self.url} did not give {what}: {error.error_message} ({error.error_code}); {cure}"
            )
            raise SchemaRegistryError(message) from error
        except Exception as error:  # of the HTTP client, which is another one from version to version
            cure = "is it running, and is the address right?"
            raise SchemaRegistryError(
                f"schema registry {self.url} cannot be asked for {what}: {error or type(error).__name__}; {cure}"
            ) from error


def registry_for(own: SchemaRegistry | None, destination: Destination, serde: str) -> SchemaRegistry:
    """The registry that a serde was given, else the application's. Raises ConfigError where there is none."""
    registry = own or destination.registry
    if registry is None:
        raise ConfigError(
            f"{serde} for {destination.topic} needs a schema registry: name one for the application "
            "(schema_registry_url=…, HEADRACE_SCHEMA_REGISTRY_URL), give the serde its own (registry=…), or write "
            'without one (wire_format="plain")',
            setting="schema_registry_url",
        )
    return registry


def bind_again(bind: Callable[[Destination], Serde], registry: SchemaRegistry) -> Callable[[Destination], Serde]:
    """`bind` for a serde that is bound already: it stays with its registry where a destination names none."""

    def bind_in_it(destination: Destination) -> Serde:
        return bind(replace(destination, registry=destination.registry or registry))

    return bind_in_it


def _their_reference(library: Any, reference: SchemaReference) -> Any:
    return library.SchemaReference(reference.name, reference.subject, reference.version)


def _text(schema: Any) -> SchemaText:
    references: Iterable[Any] = schema.references or ()
    return SchemaText(
        schema.schema_type or "AVRO",
        schema.schema_str,
        tuple(SchemaReference(one.name, one.subject, one.version) for one in references),
    )
