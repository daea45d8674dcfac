"""OAUTHBEARER: the conversation, the claims, and the keys that sign them."""

from __future__ import annotations

import asyncio
import base64
import hmac
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from broker.errors import BrokerError
from broker.security import signing_keys
from broker.security.json_web_token import Bearer, TokenRefusedError, TokenValidator, unsecured_claims
from broker.security.mechanism import Accepted, Challenge, RejectedError
from broker.security.oauthbearer import OAuthBearerConversation
from broker.security.sasl import OAuth
from broker.security.signing_keys import SigningKeys
from tests.broker.security.tokens import Issuer, unsecured
from tests.broker.waits import wait_for

NOW_S = 1_700_000_000
NOW_MS = NOW_S * 1_000
FULL = {"sub": "alice", "exp": NOW_S + 60, "iss": "https://issuer", "aud": ["kafka", "other"], "scope": "read write"}


def clock() -> int:
    return NOW_MS


def validator(**options: Any) -> TokenValidator:
    return TokenValidator(OAuth(unsecured=True, **options), unsecured_claims, clock)


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(work, 30))


# -- the conversation --------------------------------------------------------------------------------------------------
def conversation() -> OAuthBearerConversation:
    def validate(token: str) -> Bearer:
        if token != "good.token.x":
            raise TokenRefusedError("bad")
        return Bearer("alice", NOW_MS + 5)

    return OAuthBearerConversation(validate)


@pytest.mark.parametrize(
    "message",
    [
        "n,,\x01auth=Bearer good.token.x\x01\x01",
        "n,a=alice,\x01auth=Bearer good.token.x\x01\x01",
        "n,,\x01host=h\x01auth=bearer good.token.x\x01traceId=1\x01\x01",
    ],
)
def test_oauthbearer_good_token_is_accepted_until_it_expires(message: str) -> None:
    assert conversation().step(message.encode()) == Accepted("alice", expires_ms=NOW_MS + 5)


def test_oauthbearer_bad_token_is_told_before_it_is_refused() -> None:
    """RFC 7628, section 3.2.3: an error, then a word of the client, then the failure."""
    server = conversation()
    assert server.step(b"n,,\x01auth=Bearer bad.token.x\x01\x01") == Challenge(b'{"status":"invalid_token"}')
    with pytest.raises(RejectedError, match="invalid_token"):
        server.step(b"\x01")


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"n,,",
        b"n,,\x01auth=Bearer good.token.x\x01",
        b"n,,\x01auth=Basic good.token.x\x01\x01",
        b"y,,\x01auth=Bearer good.token.x\x01\x01",
        b"n,,\x01auth=Bearer good token\x01\x01",
        b"n,,\x01\x01",
        b"\xff",
    ],
)
def test_oauthbearer_malformed_message_is_refused(message: bytes) -> None:
    with pytest.raises(RejectedError, match="malformed"):
        conversation().step(message)


def test_oauthbearer_other_authorization_id_is_refused() -> None:
    with pytest.raises(RejectedError, match="different"):
        conversation().step(b"n,a=bob,\x01auth=Bearer good.token.x\x01\x01")


# -- claims ------------------------------------------------------------------------------------------------------------
def test_token_names_user_and_end() -> None:
    full = validator(issuer="https://issuer", audience=("kafka",), scope=("read",))
    assert full.validate(unsecured(FULL)) == Bearer("alice", (NOW_S + 60) * 1000)
    assert validator(audience=("kafka",)).validate(unsecured({**FULL, "aud": "kafka"})).user == "alice"
    assert validator(subject_claim="name").validate(unsecured({**FULL, "name": "bob"})).user == "bob"
    assert validator(clock_skew_ms=2_000).validate(unsecured({**FULL, "exp": NOW_S - 1})).user == "alice"


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"exp": None}, "no expiration"),
        ({"exp": NOW_S - 30}, "has expired"),
        ({"exp": "soon"}, "no number"),
        ({"exp": True}, "no number"),
        ({"nbf": NOW_S + 31}, "not valid yet"),
        ({"iat": NOW_S + 31}, "not valid yet"),
        ({"iss": "https://other"}, "another issuer"),
        ({"iss": None}, "another issuer"),
        ({"aud": "kafk"}, "another audience"),
        ({"aud": None}, "another audience"),
        ({"aud": "kafka other"}, "another audience"),
        ({"scope": "write"}, "lacks a scope"),
        ({"scope": ["write", 1]}, "lacks a scope"),
        ({"sub": None}, "names nobody"),
        ({"sub": " "}, "names nobody"),
        ({"sub": 7}, "names nobody"),
    ],
)
def test_token_that_claims_too_little_is_refused(claims: dict[str, Any], reason: str) -> None:
    strict = validator(issuer="https://issuer", audience=("kafka",), scope=("read",))
    with pytest.raises(TokenRefusedError, match=reason):
        strict.validate(unsecured({**FULL, **claims}))


@pytest.mark.parametrize(
    "token",
    [
        "",
        "a",
        "a.b.c",
        "..",
        unsecured(FULL) + "c2ln",
        unsecured(FULL, {"alg": "RS256"}),
        unsecured(FULL, {"typ": "JWT"}),
    ],
)
def test_unsecured_token_with_signature_or_without_form_is_refused(token: str) -> None:
    with pytest.raises(TokenRefusedError):
        validator().validate(token)


# -- keys --------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
@pytest.mark.parametrize("source", ["path", "url", "pem", "pem text"])
def test_signed_token_is_believed_of_the_right_key_alone(tmp_path: Path, algorithm: str, source: str) -> None:
    issuer, stranger = Issuer.new(algorithm), Issuer.new(algorithm)
    jwks, pem = tmp_path / "jwks.json", tmp_path / "key.pem"
    jwks.write_text(issuer.jwks)
    pem.write_text(issuer.pem)
    options = {
        "path": OAuth(jwks=jwks),
        "url": OAuth(jwks=jwks.as_uri()),
        "pem": OAuth(key=pem),
        "pem text": OAuth(key=issuer.pem),
    }[source]

    async def work() -> None:
        keys = SigningKeys(options, clock)
        await keys.start()
        assert keys.claims_of(issuer.sign(FULL)) == FULL
        header, claims, signature = issuer.sign(FULL).split(".")
        other = issuer.sign({**FULL, "sub": "admin"}).split(".")[1]
        for token in (
            stranger.sign(FULL),
            unsecured(FULL),
            f"{header}.{claims}.",
            f"{header}.{other}.{signature}",
            "a.b.c",
            "",
        ):
            with pytest.raises(TokenRefusedError):
                keys.claims_of(token)
        await keys.close()

    run(work())


def test_public_key_does_not_pass_for_a_shared_secret(tmp_path: Path) -> None:
    """The oldest trick: HS256 with the public key, which everybody has."""
    from joserfc import jwt
    from joserfc.jwk import OctKey

    issuer = Issuer.new("RS256")

    async def work() -> None:
        keys = SigningKeys(OAuth(key=issuer.pem), clock)
        await keys.start()
        forged = jwt.encode({"alg": "HS256"}, FULL, OctKey.import_key("x" * 32))
        head, claims, _ = forged.split(".")
        signature = hmac.digest(issuer.pem.encode(), f"{head}.{claims}".encode(), "sha256")
        with pytest.raises(TokenRefusedError):
            keys.claims_of(f"{head}.{claims}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}")

    run(work())


def test_unknown_key_id_has_the_key_set_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signing_keys, "EXPEDITED_MS", 0)
    jwks = tmp_path / "jwks.json"
    before, after = Issuer.new(key_id="before"), Issuer.new(key_id="after")
    jwks.write_text(before.jwks)

    async def work() -> None:
        keys = SigningKeys(OAuth(jwks=jwks), clock)
        await keys.start()
        jwks.write_text(after.jwks)
        with pytest.raises(TokenRefusedError):
            keys.claims_of(after.sign(FULL))
        while True:  # until the time limit of `run`
            try:
                assert keys.claims_of(after.sign(FULL)) == FULL
                break
            except TokenRefusedError:
                await asyncio.sleep(0.005)
        await keys.close()

    run(work())


def test_key_set_that_is_damaged_later_leaves_the_keys_of_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(signing_keys, "EXPEDITED_MS", 0)
    jwks = tmp_path / "jwks.json"
    issuer = Issuer.new()
    jwks.write_text(issuer.jwks)

    async def work() -> None:
        keys = SigningKeys(OAuth(jwks=jwks), clock)
        await keys.start()
        jwks.write_text("{")
        with pytest.raises(TokenRefusedError):
            keys.claims_of(Issuer.new(key_id="unknown").sign(FULL))
        await asyncio.to_thread(wait_for, lambda: "the keys of before stay" in caplog.text, "the second reading")
        assert keys.claims_of(issuer.sign(FULL)) == FULL
        await keys.close()

    run(work())


@pytest.mark.parametrize(
    "options",
    [
        lambda path: OAuth(jwks=path / "missing.json"),
        lambda path: OAuth(jwks="http://127.0.0.1:1/jwks"),
        lambda path: OAuth(key="-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----"),
    ],
)
def test_keys_that_cannot_be_read_are_named_at_the_start(tmp_path: Path, options: Callable[[Path], OAuth]) -> None:
    async def work() -> None:
        with pytest.raises(BrokerError, match="cannot read the keys of OAUTHBEARER"):
            await SigningKeys(options(tmp_path), clock).start()

    run(work())
