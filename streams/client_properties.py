"""Properties of the Kafka clients, by the names Kafka gives them, wherever settings come from.

App("orders", client_config={"security.protocol": "sasl_ssl"})      an argument
HEADRACE_CLIENT_SECURITY_PROTOCOL=sasl_ssl                          the environment
[client_config]                                                     headrace.toml: names of TOML may have dots
security.protocol = "sasl_ssl"
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

CLIENT_PREFIX = "HEADRACE_CLIENT_"
"""Of variables that set one property; the rest of the name is the property's, with underscores for dots."""
WHOLE = "HEADRACE_CLIENT_CONFIG"
"""The variable that holds all properties, as JSON."""
TAGS = "HEADRACE_CLIENT_TAGS"
"""The variable of the setting `client_tags`, which is no property of a client."""
SECRETS = ("password", "secret", "token", "key.pem", "jaas", "oauthbearer.config", "user.info")
MASK = "***"
JAVA_ONLY: Mapping[str, str] = {
    "sasl.jaas.config": "sasl.username and sasl.password",
    "ssl.truststore.location": "ssl.ca.location, a PEM file",
    "ssl.truststore.password": "not needed: ssl.ca.location is a PEM file",
    "ssl.truststore.certificates": "ssl.ca.pem",
    "ssl.keystore.certificate.chain": "ssl.certificate.pem",
    "ssl.keystore.key": "ssl.key.pem",
}
"""What librdkafka has under another name."""
SECURITY = ("security.", "sasl.", "ssl.", "enable.ssl.", "enable.sasl.")


def properties_from_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """The properties that have variables of their own."""
    return {
        name.removeprefix(CLIENT_PREFIX).lower().replace("_", "."): value
        for name, value in environ.items()
        if name.startswith(CLIENT_PREFIX) and name not in (WHOLE, TAGS, CLIENT_PREFIX)
    }


def variable_of(property_name: str) -> str:
    """The variable that sets the property."""
    return CLIENT_PREFIX + property_name.upper().replace(".", "_")


def without_security(properties: Mapping[str, Any]) -> dict[str, Any]:
    """What is left for a broker that has neither TLS nor users."""
    return {name: value for name, value in properties.items() if not name.startswith(SECURITY)}


def with_protocol(properties: Mapping[str, Any], protocol: str | None, mechanism: str | None = None) -> dict[str, Any]:
    """The properties for a broker that asks for a security protocol; None: it has not said which.

    `mechanism` counts where the properties name no SASL mechanism.
    """
    if protocol is None:
        return dict(properties)
    if protocol == "PLAINTEXT":
        return without_security(properties)
    asked = {"sasl.mechanism": mechanism} if mechanism and "sasl.mechanisms" not in properties else {}
    return {**asked, **properties, "security.protocol": protocol.lower()}


def masked(name: str, value: object) -> object:
    """The value, or stars where the name says that it is a secret; of a mapping, its values."""
    if isinstance(value, Mapping):
        return {key: masked(str(key), each) for key, each in cast("Mapping[object, object]", value).items()}
    return MASK if value is not None and any(word in name.lower().replace("_", ".") for word in SECRETS) else value
