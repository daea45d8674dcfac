"""What a mounted application takes over from the Faust app: where the log is, who it is there, where state lives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import faust
from faust.types.auth import AuthProtocol, SASLMechanism

from streams.app import App
from streams.errors import ConfigError

DEFAULT_PORT = 9092
STATE_DIRECTORY = "headrace"
"""In the Faust app's data directory."""
PASSWORD_MECHANISMS = (SASLMechanism.PLAIN, SASLMechanism.SCRAM_SHA_256, SASLMechanism.SCRAM_SHA_512)


def worker_options(host: faust.App, app: App, given: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of `App.worker`: what `mount` was given, else what the application has been set, else Faust's.

    Raises:
        ConfigError: both would be the same consumer group, or Faust's settings cannot be taken over.
    """
    settings, options = app.settings, dict(given)
    faust_id: str = host.conf.id
    if settings.application_id == faust_id:
        raise ConfigError(
            f"the Faust app and the application mounted in it are both called {faust_id!r}, which would be one "
            f"consumer group: give one of them another name, such as App({faust_id + '-stores'!r})",
            setting="application_id",
        )
    if options.get("bootstrap_servers") is None and settings.bootstrap_servers is None:
        options["bootstrap_servers"] = bootstrap_servers(host)
        if "client_config" not in options:
            options["client_config"] = {**credentials(host, settings.client_config), **settings.client_config}
    if options.get("state_dir") is None and "state_dir" not in settings.model_fields_set:
        options["state_dir"] = host.conf.datadir / STATE_DIRECTORY
    return options


def bootstrap_servers(host: faust.App) -> str:
    """The broker URLs that Faust's consumers and producers have in common, as Kafka's clients write them."""
    urls = host.conf.broker_consumer
    if set(urls) != set(host.conf.broker_producer):
        raise ConfigError(
            "the Faust app reads from one cluster and writes to another (broker_consumer, broker_producer), and the "
            "application mounted in it has one for both: pass bootstrap_servers to mount",
            setting="bootstrap_servers",
        )
    addresses: list[str] = []
    for url in urls:
        name = url.host
        if not name or ("kafka" not in url.scheme and url.scheme != "confluent"):
            raise ConfigError(
                f"the Faust app's broker is {str(url)!r}, which names no Kafka broker: pass bootstrap_servers to mount",
                setting="bootstrap_servers",
            )
        addresses.append(
            f"[{name}]:{url.port or DEFAULT_PORT}" if ":" in name else f"{name}:{url.port or DEFAULT_PORT}"
        )
    return ",".join(addresses)


def credentials(host: faust.App, chosen: Mapping[str, Any]) -> dict[str, str]:
    """The client properties that stand for Faust's `broker_credentials`; none where `chosen` says how to connect."""
    held: Any = host.conf.broker_credentials
    if held is None or "security.protocol" in chosen:
        return {}
    if getattr(held, "mechanism", None) not in PASSWORD_MECHANISMS or held.protocol is not AuthProtocol.SASL_PLAINTEXT:
        raise ConfigError(
            f"the Faust app connects with {type(held).__name__} ({held.protocol.value}), whose certificates or tokens "
            "cannot be taken over from Python objects: give the mounted App client_config with security.protocol and "
            "what belongs to it (ssl.ca.location, …)",
            setting="client_config",
        )
    return {
        "security.protocol": held.protocol.value,
        "sasl.mechanism": held.mechanism.value,
        "sasl.username": held.username or "",
        "sasl.password": held.password or "",
    }
