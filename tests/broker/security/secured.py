"""A broker with listeners of all protocols, and how clients reach them."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from broker import Broker, BrokerOptions
from broker.security.sasl import OAuth, Sasl, SaslMechanism
from broker.security.tls import Tls
from broker.server.listener import Listener
from tests.broker.security.authority import Authority
from tests.broker.security.tokens import Issuer

USER, PASSWORD = "alice", "wonderland, = and more"
AUDIENCE = "kafka"
PASSWORD_MECHANISMS: tuple[SaslMechanism, ...] = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")


@dataclass(frozen=True)
class Secured:
    """A running broker, and who signs for it."""

    broker: Broker
    authority: Authority
    issuer: Issuer
    authorities_file: Path

    def token(self, lifetime_s: float = 300, **claims: Any) -> str:
        now = time.time()
        return self.issuer.sign({"sub": USER, "aud": AUDIENCE, "iat": now, "exp": now + lifetime_s, **claims})

    def librdkafka(self, listener: str, mechanism: str | None = None, **more: Any) -> dict[str, Any]:
        """Properties of a client; those of more have underscores for dots."""
        properties: dict[str, Any] = {
            "bootstrap.servers": self.broker.bootstrap_servers_of(listener),
            "security.protocol": listener,
        }
        if listener.endswith("SSL"):
            properties["ssl.ca.location"] = str(self.authorities_file)
        if mechanism is not None:
            properties["sasl.mechanism"] = mechanism
            if mechanism == "OAUTHBEARER":
                properties["oauth_cb"] = lambda _: (self.token(), time.time() + 300)
            else:
                properties |= {"sasl.username": USER, "sasl.password": PASSWORD}
        return properties | {name.replace("_", "."): value for name, value in more.items()}


def secured_options(authority: Authority, jwks: Path | None = None, **more: Any) -> BrokerOptions:
    """All protocols on free ports; with client certificates where a client has one."""
    server = authority.server()
    oauth = OAuth(unsecured=True) if jwks is None else OAuth(jwks=jwks, audience=(AUDIENCE,))
    chosen: dict[str, Any] = {
        "listeners": (
            Listener(),
            Listener(protocol="SSL"),
            Listener(protocol="SASL_PLAINTEXT"),
            Listener(protocol="SASL_SSL"),
        ),
        "tls": Tls(
            certificate=server.certificate_pem,
            key=server.key_pem(),
            client_authorities=authority.pem,
            client_authentication="requested",
        ),
        "sasl": Sasl(mechanisms=(*PASSWORD_MECHANISMS, "OAUTHBEARER"), users={USER: PASSWORD}, oauth=oauth),
        "failed_authentication_delay_ms": 20,
    }
    return BrokerOptions(**(chosen | more))
