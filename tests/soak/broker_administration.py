"""An administrator changes configs, quotas, credentials and ACLs while the broker is killed: what was acknowledged is
there after each restart, what was not is there as a whole or not at all."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from kio.schema.errors import ErrorCode

from broker.protocol.api_keys import ApiKey
from tests.soak.broker_chores import Chore
from tests.soak.wire_line import BrokerDiedError, WireLine

if TYPE_CHECKING:
    from tests.soak.broker import BrokerSoak

Key = tuple[Any, ...]
SET, DELETE = 0, 1
BROKER, GROUP = 4, 32


class Settings(Protocol):
    """One kind of what an administrator sets: a value by key."""

    def choose(self, random: random.Random) -> tuple[Key, Any]:
        """A key and its new value, None to remove it."""
        ...

    def change(self, line: WireLine, key: Key, value: Any) -> ErrorCode:
        """Raises BrokerDiedError."""
        ...

    def found(self, line: WireLine) -> dict[Key, Any]:
        """What the broker has. Raises BrokerDiedError."""
        ...


class Administration(Chore):
    paced = True

    def __init__(self, soak: BrokerSoak) -> None:
        super().__init__(soak, "administration")
        self.line = WireLine(soak.broker)
        self.kinds: list[Settings] = [Configs(), Quotas(), Credentials(), Acls()]
        self.held: list[dict[Key, Any]] = [{} for _ in self.kinds]
        """What was acknowledged, of each kind."""

    def run(self) -> None:
        while not self.soak.stop_writing.wait(0.01):
            self.change(self.random.randrange(len(self.kinds)))
            self.compare()
            self.rounds += 1

    def change(self, number: int) -> None:
        """Insists, and looks after each death what has become of it."""
        kind, held = self.kinds[number], self.held[number]
        key, value = kind.choose(self.random)
        while True:
            try:
                code = kind.change(self.line, key, value)
            except BrokerDiedError:
                self.events["deaths amid a change"] += 1
                self.compare((number, key, value))
            else:
                break
        missing = value is None and code is ErrorCode.resource_not_found
        assert code is ErrorCode.none or missing, f"{kind}: {key} to {value}: {code}"
        self.events[type(kind).__name__.lower()] += 1
        if value is None:
            held.pop(key, None)
        else:
            held[key] = value

    def compare(self, open_change: tuple[int, Key, Any] | None = None) -> None:
        """With what the broker has; an open change may count or not."""
        for number, (kind, held) in enumerate(zip(self.kinds, self.held)):
            found = self.look(kind)
            if open_change is not None and open_change[0] == number:
                _, key, value = open_change
                changed = {name: each for name, each in held.items() if name != key}
                if value is not None:
                    changed[key] = value
                assert found in (held, changed), f"{kind}: {found}, neither {held} nor {changed}"
            else:
                assert found == held, f"{kind}: {found} instead of {held}"

    def look(self, kind: Settings) -> dict[Key, Any]:
        while True:
            try:
                return kind.found(self.line)
            except BrokerDiedError:
                self.events["deaths amid a look"] += 1

    def check(self) -> None:
        super().check()
        self.compare()
        self.line.close()


class Configs:
    """Of the node, the cluster (without a name) and of a group; none that the other chores depend on."""

    NAMES = ("message.max.bytes", "num.io.threads", "max.connections.per.ip", "log.cleaner.backoff.ms")
    GROUP_NAME = "consumer.session.timeout.ms"
    DYNAMIC: ClassVar = {(BROKER, "1"): 2, (BROKER, ""): 3, (GROUP, "configured"): 8}
    """Resource → source of what was set for it."""

    def choose(self, random: random.Random) -> tuple[Key, Any]:
        resource = random.choice(list(self.DYNAMIC))
        name = self.GROUP_NAME if resource[0] == GROUP else random.choice(self.NAMES)
        value = {
            "message.max.bytes": random.randint(1_000_000, 9_000_000),
            "num.io.threads": random.randint(8, 15),
            "max.connections.per.ip": random.randint(10_000, 20_000),
            "log.cleaner.backoff.ms": random.randint(100, 400),
            self.GROUP_NAME: random.randint(45_000, 60_000),
        }[name]
        return (*resource, name), None if random.random() < 0.25 else str(value)

    def change(self, line: WireLine, key: Key, value: Any) -> ErrorCode:
        kind, resource, name = key
        config = {"name": name, "config_operation": DELETE if value is None else SET, "value": value}
        target = {"resource_type": kind, "resource_name": resource, "configs": [config]}
        answer = line.ask(ApiKey.INCREMENTAL_ALTER_CONFIGS, 1, resources=[target], validate_only=False)
        return answer.responses[0].error_code

    def found(self, line: WireLine) -> dict[Key, Any]:
        targets = [
            {"resource_type": kind, "resource_name": name, "configuration_keys": None} for kind, name in self.DYNAMIC
        ]
        answer = line.ask(ApiKey.DESCRIBE_CONFIGS, 4, resources=targets, include_synonyms=False)
        return {
            (result.resource_type, result.resource_name, entry.name): entry.value
            for result in answer.results
            for entry in result.configs
            if entry.config_source == self.DYNAMIC[(result.resource_type, result.resource_name)]
        }


class Quotas:
    ENTITIES = ((("user", "ann"),), (("user", None),), (("user", "ann"), ("client-id", "app")))

    def choose(self, random: random.Random) -> tuple[Key, Any]:
        key = (random.choice(self.ENTITIES), random.choice(("producer_byte_rate", "consumer_byte_rate")))
        return key, None if random.random() < 0.3 else float(random.randint(1, 1_000_000))

    def change(self, line: WireLine, key: Key, value: Any) -> ErrorCode:
        entity, name = key
        entry = {
            "entity": [{"entity_type": kind, "entity_name": who} for kind, who in entity],
            "ops": [{"key": name, "value": value or 0.0, "remove": value is None}],
        }
        return line.ask(ApiKey.ALTER_CLIENT_QUOTAS, 1, entries=[entry], validate_only=False).entries[0].error_code

    def found(self, line: WireLine) -> dict[Key, Any]:
        answer = line.ask(ApiKey.DESCRIBE_CLIENT_QUOTAS, 1, components=[], strict=False)
        return {
            (self.entity_of(entry), value.key): value.value for entry in answer.entries or () for value in entry.values
        }

    def entity_of(self, entry: Any) -> Key:
        found = {(part.entity_type, part.entity_name) for part in entry.entity}
        return next(entity for entity in self.ENTITIES if set(entity) == found)


class Credentials:
    """SCRAM; their values are the iterations."""

    def choose(self, random: random.Random) -> tuple[Key, Any]:
        key = (f"user-{random.randrange(3)}", random.choice((1, 2)))
        return key, None if random.random() < 0.3 else random.randint(4_096, 16_384)

    def change(self, line: WireLine, key: Key, value: Any) -> ErrorCode:
        user, mechanism = key
        target = {"name": user, "mechanism": mechanism}
        credential = {
            **target,
            "iterations": value,
            "salt": b"salt",
            "salted_password": bytes(64 if mechanism == 2 else 32),
        }
        answer = line.ask(
            ApiKey.ALTER_USER_SCRAM_CREDENTIALS,
            0,
            deletions=[target] if value is None else [],
            upsertions=[] if value is None else [credential],
        )
        return answer.results[0].error_code

    def found(self, line: WireLine) -> dict[Key, Any]:
        answer = line.ask(ApiKey.DESCRIBE_USER_SCRAM_CREDENTIALS, 0, users=None)
        return {
            (result.user, info.mechanism): info.iterations
            for result in answer.results
            for info in result.credential_infos
        }


class Acls:
    """Their value is whether they allow (3)."""

    FILTER: ClassVar = {
        "resource_type_filter": 1,
        "resource_name_filter": None,
        "pattern_type_filter": 1,
        "principal_filter": None,
        "host_filter": None,
        "operation": 1,
        "permission_type": 1,
    }

    def choose(self, random: random.Random) -> tuple[Key, Any]:
        key = (f"topic-{random.randrange(3)}", f"User:u{random.randrange(3)}", random.choice((3, 4)))
        return key, None if random.random() < 0.4 else 3

    def change(self, line: WireLine, key: Key, value: Any) -> ErrorCode:
        topic, principal, operation = key
        if value is None:
            chosen = {"resource_type_filter": 2, "resource_name_filter": topic, "principal_filter": principal}
            where = {**self.FILTER, **chosen, "operation": operation}
            return line.ask(ApiKey.DELETE_ACLS, 3, filters=[where]).filter_results[0].error_code
        binding = {
            "resource_type": 2,
            "resource_name": topic,
            "resource_pattern_type": 3,
            "principal": principal,
            "host": "*",
            "operation": operation,
            "permission_type": value,
        }
        return line.ask(ApiKey.CREATE_ACLS, 3, creations=[binding]).results[0].error_code

    def found(self, line: WireLine) -> dict[Key, Any]:
        answer = line.ask(ApiKey.DESCRIBE_ACLS, 3, **self.FILTER)
        return {
            (resource.resource_name, acl.principal, acl.operation): acl.permission_type
            for resource in answer.resources
            for acl in resource.acls
        }
