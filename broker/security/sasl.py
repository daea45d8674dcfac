"""What a listener needs for SASL: mechanisms, users, and how long an authentication is good for.

Source: `sasl.enabled.mechanisms`, `connections.max.reauth.ms`, the JAAS sections and `sasl.oauthbearer.*` of Apache
Kafka.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

from broker.errors import BrokerError

SaslMechanism = Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"]
MECHANISMS: tuple[SaslMechanism, ...] = get_args(SaslMechanism)
JwtAlgorithm = Literal["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"]


@dataclass(frozen=True, slots=True, kw_only=True)
class OAuth:
    """Whose tokens are believed. Give `jwks` or `key`, else `unsecured=True`."""

    jwks: str | Path | None = None
    """`sasl.oauthbearer.jwks.endpoint.url`: a JSON Web Key Set, as http(s):// or file:// URL or a path."""
    key: str | Path | None = None
    """A public key that signs tokens: the path of a PEM, or its text."""
    unsecured: bool = False
    """For development only: tokens without a signature ("alg": "none") are believed, as Kafka does by default."""
    audience: tuple[str, ...] = ()
    """`sasl.oauthbearer.expected.audience`: a token must be for one of them; empty: not asked for."""
    issuer: str | None = None
    """`sasl.oauthbearer.expected.issuer`; None: not asked for."""
    scope: tuple[str, ...] = ()
    """Scopes a token must have, all of them."""
    subject_claim: str = "sub"
    """`sasl.oauthbearer.sub.claim.name`: the claim that names the user."""
    scope_claim: str = "scope"
    """`sasl.oauthbearer.scope.claim.name`."""
    algorithms: tuple[JwtAlgorithm, ...] = ("RS256", "ES256")
    """Signatures that are believed."""
    clock_skew_ms: int = 30_000
    """`sasl.oauthbearer.clock.skew.seconds`: by how much clocks may differ."""
    jwks_refresh_ms: int = 3_600_000
    """`sasl.oauthbearer.jwks.endpoint.refresh.ms`: how often the key set is read again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sasl:
    """Who may connect by password or token."""

    mechanisms: tuple[SaslMechanism, ...] = ("SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN")
    """`sasl.enabled.mechanisms`."""
    users: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    """Passwords by user name, for PLAIN and for SCRAM. What AlterUserScramCredentials stores for a user and mechanism
    goes before it. The first administrator gets in this way."""
    users_file: Path | None = None
    """A file of more of them, NAME=PASSWORD on each line; lines that begin with # are comments. Read at the start."""
    oauth: OAuth | None = None
    """Needed for OAUTHBEARER."""
    max_reauth_ms: int = 0
    """`connections.max.reauth.ms`: after that time a client must have authenticated again (KIP-368), at the end of its
    token at the latest; 0: never."""

    def passwords(self) -> dict[str, str]:
        """By user name, those of the file as well. Raises BrokerError, which tells no password."""
        found = dict(self.users)
        if self.users_file is None:
            return found
        try:
            lines = self.users_file.read_text().splitlines()
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not text"
            raise BrokerError(f"cannot read the SASL users_file {self.users_file}: {reason}") from error
        for number, line in enumerate(lines, 1):
            if not line.strip() or line.lstrip().startswith("#"):
                continue
            name, equals, password = line.partition("=")
            if not equals:
                raise BrokerError(f"line {number} of the SASL users_file {self.users_file} is not NAME=PASSWORD")
            found[name.strip()] = password.strip()
        return found
