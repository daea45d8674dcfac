"""What a bearer token claims, and whether that is to be believed.

Source: RFC 7519; `OAuthBearerUnsecuredValidatorCallbackHandler` and `BrokerJwtValidator` of Apache Kafka.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeAlias, cast

from broker.security.sasl import OAuth

Claims: TypeAlias = Mapping[str, Any]
ClaimsReader: TypeAlias = Callable[[str], Claims]
"""The claims of a token in compact form, if they can be believed. Raises TokenRefusedError."""


class TokenRefusedError(Exception):
    """The message says what is wrong with a token, without telling any of it."""


class Bearer(NamedTuple):
    """Whom a token is for."""

    user: str
    expires_ms: int
    """ms since the epoch."""


class TokenValidator:
    """Checks claims by the options; `claims_of` checks the signature, `clock` gives ms since the epoch."""

    def __init__(self, options: OAuth, claims_of: ClaimsReader, clock: Callable[[], int]) -> None:
        self.options = options
        self.claims_of = claims_of
        self.clock = clock

    def validate(self, token: str) -> Bearer:
        """Raises TokenRefusedError."""
        claims = self.claims_of(token)
        options, now, skew = self.options, self.clock(), self.options.clock_skew_ms
        expires_ms = instant(claims, "exp")
        if expires_ms is None:
            raise TokenRefusedError("the token has no expiration time (exp)")
        if now - skew >= expires_ms:
            raise TokenRefusedError("the token has expired")
        for name in ("nbf", "iat"):
            begins = instant(claims, name)
            if begins is not None and begins > now + skew:
                raise TokenRefusedError(f"the token is not valid yet ({name})")
        if options.issuer is not None and claims.get("iss") != options.issuer:
            raise TokenRefusedError("the token is of another issuer (iss)")
        if options.audience and not set(options.audience) & words(claims, "aud", split=False):
            raise TokenRefusedError("the token is for another audience (aud)")
        if not set(options.scope) <= words(claims, options.scope_claim, split=True):
            raise TokenRefusedError(f"the token lacks a scope ({options.scope_claim})")
        user = claims.get(options.subject_claim)
        if not isinstance(user, str) or not user.strip():
            raise TokenRefusedError(f"the token names nobody ({options.subject_claim})")
        return Bearer(user, expires_ms)


def instant(claims: Claims, name: str) -> int | None:
    """A time claim in ms since the epoch, None where it is missing."""
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e12:
        raise TokenRefusedError(f"the token's {name} is no number of seconds")
    return int(value * 1000)


def words(claims: Claims, name: str, *, split: bool) -> set[str]:
    """A claim of one or several words; with `split` blanks in a text part words."""
    value = claims.get(name)
    if isinstance(value, str):
        return set(value.split()) if split else {value}
    if isinstance(value, list):
        return {item for item in cast(list[Any], value) if isinstance(item, str)}
    return set()


def unsecured_claims(token: str) -> Claims:
    """Of a token that nobody signed: whoever can connect can claim to be anybody."""
    head, _, rest = token.partition(".")
    body, _, signature = rest.partition(".")
    if signature or decoded(head).get("alg") != "none":
        raise TokenRefusedError('this broker believes only unsecured tokens ("alg": "none", without a signature)')
    return decoded(body)


def decoded(part: str) -> dict[str, Any]:
    """A part of a token: a JSON object in base64url."""
    try:
        content = json.loads(base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True))
    except (ValueError, binascii.Error, RecursionError):
        content = None
    if not isinstance(content, dict):
        raise TokenRefusedError("it is not a JSON Web Token")
    return cast(dict[str, Any], content)
