"""Bearer tokens of a test, and the keys that sign them."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, RSAKey


def unsecured(claims: Mapping[str, Any], header: Mapping[str, Any] | None = None) -> str:
    """A token nobody signed."""
    parts = (header or {"alg": "none"}, claims)
    return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts) + "."


@dataclass(frozen=True)
class Issuer:
    """Signs tokens with one key."""

    key: RSAKey | ECKey
    algorithm: str

    @classmethod
    def new(cls, algorithm: str = "ES256", key_id: str = "k1") -> Self:
        parameters = {"kid": key_id}
        if algorithm.startswith("ES"):
            return cls(ECKey.generate_key("P-256", parameters), algorithm)
        return cls(RSAKey.generate_key(2048, parameters), algorithm)

    @property
    def jwks(self) -> str:
        return json.dumps(KeySet([self.key]).as_dict(private=False))

    @property
    def pem(self) -> str:
        return self.key.as_pem(private=False).decode()

    def sign(self, claims: Mapping[str, Any]) -> str:
        return jwt.encode({"alg": self.algorithm, "kid": self.key.kid}, dict(claims), self.key)
