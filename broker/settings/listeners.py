"""The listeners, out of all that is said of them: tables, Kafka's text, what clients are told, single properties.

    listeners=OUTSIDE://0.0.0.0:9093,PLAINTEXT://127.0.0.1:9092
    listener.security.protocol.map=OUTSIDE:SASL_SSL
    advertised.listeners=OUTSIDE://log.example.org:9093
    listener.name.outside.ssl.keystore.location=outside.pem

Source: `SocketServerConfigs`, `KafkaConfig.listenerNameToListener` of Apache Kafka.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple, cast

from broker.options import BrokerOptions
from broker.server.listener import PROTOCOLS, Listener, SecurityProtocol
from broker.settings.building import IncompleteError, built, value_at
from broker.settings.setting import settings_of
from broker.settings.table import flattened
from broker.settings.values import plain, value_of

LISTENERS = "listeners"
ADVERTISED = "advertised.listeners"
PROTOCOL_MAP = "listener.security.protocol.map"
CONTROLLERS = "controller.listener.names"
TEXTS = (ADVERTISED, PROTOCOL_MAP, CONTROLLERS)
"""Properties that say more of the listeners."""
ADDRESS = re.compile(r"([A-Za-z0-9_.-]+)://(.*):(\d{1,5})")
ANY_HOST = "0.0.0.0"


class Address(NamedTuple):
    """One of `listeners` or `advertised.listeners`; of an empty host nothing is said."""

    name: str
    host: str
    port: int


def names(text: str) -> list[str]:
    """Of listeners, in upper case: they differ by more than that."""
    return [name.strip().upper() for name in text.split(",") if name.strip()]


def addresses(text: str) -> list[Address]:
    """Raises ValueError."""
    found: list[Address] = []
    for item in filter(None, (item.strip() for item in text.split(","))):
        match = ADDRESS.fullmatch(item)
        if match is None or int(match[3]) > 65_535:
            raise ValueError("expected PROTOCOL://HOST:PORT or NAME://HOST:PORT, with commas between them")
        found.append(Address(match[1], match[2].strip("[]"), int(match[3])))
    return found


def protocols(text: str) -> dict[str, SecurityProtocol]:
    """Of `listener.security.protocol.map`, by name in upper case. Raises ValueError."""
    found: dict[str, SecurityProtocol] = {}
    for item in filter(None, (item.strip() for item in text.split(","))):
        name, colon, protocol = item.partition(":")
        if not colon or protocol.strip().upper() not in PROTOCOLS:
            raise ValueError(f"expected NAME:PROTOCOL,NAME:PROTOCOL with {' or '.join(PROTOCOLS)}")
        found[name.strip().upper()] = cast("SecurityProtocol", protocol.strip().upper())
    return found


def listeners_of(written: object, texts: Mapping[str, str]) -> tuple[Listener, ...]:
    """The listeners of an array of tables or of a text.

    Args:
        texts: those of `TEXTS` that are set.

    Raises:
        ValueError: it says what is expected.
    """
    items: list[object] = list(cast("list[object]", written)) if isinstance(written, list | tuple) else []
    if items and all(isinstance(item, Mapping | Listener) for item in items):
        tables = cast("list[Listener | Mapping[str, Any]]", items)
        return tuple(
            item if isinstance(item, Listener) else of_table(item, number) for number, item in enumerate(tables, 1)
        )
    known = protocols(texts.get(PROTOCOL_MAP, ""))
    controllers = names(texts.get(CONTROLLERS, ""))
    found: list[Listener] = []
    for name, host, port in addresses(",".join(map(plain, items or [cast("object", written)]))):
        if name.upper() in controllers:
            continue
        protocol = known.get(name.upper()) or (name.upper() if name.upper() in PROTOCOLS else None)
        if protocol is None:
            raise ValueError(
                f"{name} has no protocol; set {PROTOCOL_MAP}={name}:SASL_SSL (or {', '.join(PROTOCOLS[:-1])}), or "
                "write a protocol instead of the name"
            )
        title = "" if name.upper() == protocol else name
        found.append(
            Listener(name=title, host=host or ANY_HOST, port=port, protocol=cast("SecurityProtocol", protocol))
        )
    return tuple(found)


def of_table(table: Mapping[str, Any], number: int) -> Listener:
    """Raises ValueError."""
    known = settings_of(Listener)
    title = table.get("name") or table.get("protocol")
    where = f"number {number} ({title})" if title else f"number {number}"
    values: dict[str, Any] = {}
    for name, value in flattened(table, known):
        setting = known.get(name)
        if setting is None:
            raise ValueError(f"{where} has no {name}{near(name, known)}")
        try:
            values[name] = value_of(setting, value)
        except ValueError as error:
            shown = "the value" if setting.secret else repr(value)
            raise ValueError(f"{where}, {name}: {shown} does not fit; {error}") from error
    try:
        return built(Listener, values)
    except IncompleteError as error:
        raise ValueError(f"{where}: {error}") from error


def near(name: str, names: Iterable[str]) -> str:
    import difflib

    found = difflib.get_close_matches(name, list(names), n=1)
    return f"; did you mean {found[0]}?" if found else f"; there are {', '.join(names)}"


def advertise(options: BrokerOptions, text: str, controllers: str = "") -> BrokerOptions:
    """With what clients are told. Raises ValueError."""
    told = [address for address in addresses(text) if address.name.upper() not in names(controllers)]
    if not options.listeners:
        if len(told) != 1:
            raise ValueError("expected one address, as there are no listeners")
        return replace(options, advertised_host=told[0].host or None, advertised_port=told[0].port)
    by_title = {listener.title.upper(): listener for listener in options.listeners}
    for name, host, port in told:
        listener = by_title.get(name.upper())
        if listener is None:
            raise ValueError(f"there is no listener {name}; there are {', '.join(by_title)}")
        by_title[name.upper()] = replace(listener, advertised_host=host or None, advertised_port=port)
    return replace(options, listeners=tuple(by_title.values()))


def listener_called(name: str, listeners: Iterable[Listener]) -> tuple[Listener, str] | None:
    """The listener that a property such as `listener.name.outside.ssl.client.auth` is of, and the rest of its name. In
    variables of the environment, dots stand for all that is no letter or digit."""
    best: tuple[Listener, str] | None = None
    for listener in listeners:
        pattern = "[._-]".join(map(re.escape, re.split(r"[._-]", listener.title)))
        match = re.fullmatch(rf"{pattern}\.(.+)", name, re.IGNORECASE)
        if match is not None and (best is None or len(listener.title) > len(best[0].title)):
            best = listener, match[1]
    return best


def shown(listeners: Iterable[Listener]) -> Iterator[tuple[str, str]]:
    """(setting, value) of the listeners as text, so that it could be given back; secrets are stars."""
    listeners = tuple(listeners)
    yield LISTENERS, ",".join(f"{one.title}://{bracketed(one.host)}:{one.port}" for one in listeners)
    named = [one for one in listeners if one.title != one.protocol]
    if named:
        yield PROTOCOL_MAP, ",".join(f"{one.title}:{one.protocol}" for one in named)
    told = [one for one in listeners if one.advertised_host or one.advertised_port]
    if told:
        yield (
            ADVERTISED,
            ",".join(
                f"{one.title}://{bracketed(one.advertised_host or one.host)}:{one.advertised_port or one.port}"
                for one in told
            ),
        )
    for one in listeners:
        for name, setting in settings_of(Listener).items():
            part = name.partition(".")[0]
            if part != name and getattr(one, part) is not None:
                yield f"listener.name.{one.title.lower()}.{name}", setting.shown(value_at(one, name))


def bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
