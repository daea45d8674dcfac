"""Whether a broker lets a client in, and what to do if not.

librdkafka tries again for ever with a wrong password; why it is not let in it tells its error callback alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, ClusterMetadata  # pyright: ignore[reportPrivateImportUsage]

from streams.errors import ConfigError

ANSWER_S = 1.0
"""A refusal has come by then, if one does; a slow cluster has the rest of the time."""
BY_PASSWORD = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
PASSWORD_CURE = (
    "set sasl.username and sasl.password in [client_config] of headrace.toml, or HEADRACE_CLIENT_SASL_USERNAME and "
    "HEADRACE_CLIENT_SASL_PASSWORD"
)
TLS_CURE = (
    "set ssl.ca.location (HEADRACE_CLIENT_SSL_CA_LOCATION) to the PEM of the authority that signed its certificate; "
    "where it asks for a certificate, set ssl.certificate.location and ssl.key.location too"
)
CURES: Mapping[int, str] = {
    KafkaError._AUTHENTICATION: PASSWORD_CURE,  # pyright: ignore[reportPrivateUsage]
    KafkaError.SASL_AUTHENTICATION_FAILED: PASSWORD_CURE,
    KafkaError._SSL: TLS_CURE,  # pyright: ignore[reportPrivateUsage]
}
"""By the errors after which trying again is in vain."""


class AccessWatch:
    """Takes librdkafka's global errors of one client; `refusal` keeps the first by which it is not let in."""

    def __init__(self, bootstrap_servers: str) -> None:
        self.refusal: KafkaError | None = None
        self._bootstrap_servers = bootstrap_servers

    def on_error(self, error: KafkaError) -> None:
        """librdkafka's `error_cb`; called within poll."""
        if self.refusal is None and error.code() in CURES:
            self.refusal = error

    def check(self) -> None:
        """Raises ConfigError if the client was refused."""
        if self.refusal is not None:
            raise ConfigError(
                f"the broker at {self._bootstrap_servers} does not let this client in ({self.refusal.str()}): "
                f"{CURES[self.refusal.code()]}",
                setting="client_config",
            )


def check_credentials(properties: Mapping[str, Any], bootstrap_servers: str) -> None:
    """Raises ConfigError where the broker asks for a password and the client has none, or knows no mechanism."""
    protocol = str(properties.get("security.protocol", "plaintext")).upper()
    if not protocol.startswith("SASL"):
        return
    asks = f"the broker at {bootstrap_servers} asks who its clients are ({protocol})"
    mechanism = properties.get("sasl.mechanism", properties.get("sasl.mechanisms"))
    if mechanism is None:
        raise ConfigError(
            f"{asks}, and no mechanism is set: set sasl.mechanism (of {', '.join(BY_PASSWORD)}, OAUTHBEARER), and "
            f"{PASSWORD_CURE}",
            setting="client_config",
        )
    missing = [name for name in ("sasl.username", "sasl.password") if not properties.get(name)]
    if str(mechanism).upper() in BY_PASSWORD and missing:
        raise ConfigError(
            f"{asks}, and this client has no {' and no '.join(missing)}: {PASSWORD_CURE}",
            setting="client_config",
        )


def cluster_metadata(admin: AdminClient, access: AccessWatch, within_s: float) -> ClusterMetadata:
    """What the cluster says of itself; `access` is the client's `error_cb`.

    Raises:
        ConfigError: the client is not let in.
        KafkaException: nobody answers.
    """
    patience_s = min(ANSWER_S, within_s)
    for timeout_s in (patience_s, within_s - patience_s):
        try:
            return admin.list_topics(timeout=max(timeout_s, 0.1))
        except KafkaException as error:
            admin.poll(0)
            access.check()
            failure = error
    raise failure
