"""What a server keeps of a password for SCRAM: it can check a proof with it, but not make one.

Source: RFC 5802 section 3, `ScramCredential` and `ScramFormatter` of Apache Kafka.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

DIGESTS: Final[Mapping[str, str]] = MappingProxyType({"SCRAM-SHA-256": "sha256", "SCRAM-SHA-512": "sha512"})
"""hashlib's name of the hash function by mechanism."""
DIGEST_SIZES: Final[Mapping[str, int]] = MappingProxyType({"SCRAM-SHA-256": 32, "SCRAM-SHA-512": 64})
MIN_ITERATIONS, MAX_ITERATIONS = 4_096, 16_384
SALT_SIZE = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class ScramCredential:
    """Of one user and one mechanism."""

    salt: bytes = field(repr=False)
    stored_key: bytes = field(repr=False)
    server_key: bytes = field(repr=False)
    iterations: int

    @classmethod
    def from_password(cls, mechanism: str, password: str, salt: bytes, iterations: int) -> ScramCredential:
        """Takes milliseconds on purpose. As in Kafka the password is its UTF-8 bytes, without SASLprep."""
        salted = hashlib.pbkdf2_hmac(DIGESTS[mechanism], password.encode(), salt, iterations)
        return cls.from_salted_password(mechanism, salted, salt, iterations)

    @classmethod
    def from_salted_password(cls, mechanism: str, salted: bytes, salt: bytes, iterations: int) -> ScramCredential:
        """Of what AlterUserScramCredentials carries."""
        digest = DIGESTS[mechanism]
        client_key = hmac.digest(salted, b"Client Key", digest)
        return cls(
            salt=salt,
            stored_key=hashlib.new(digest, client_key).digest(),
            server_key=hmac.digest(salted, b"Server Key", digest),
            iterations=iterations,
        )
