"""SCRAM, message by message."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.security.mechanism import Accepted, Challenge, RejectedError
from broker.security.scram import ScramConversation
from broker.security.scram_credential import ScramCredential

RFC_7677_SALT = base64.b64decode("W22ZaJ0SNY7soEsUEjb6gQ==")
RFC_7677_SERVER_NONCE = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
PEPPER = b"of this process"


def known(mechanism: str, user: str, password: str) -> Callable[[str], ScramCredential | None]:
    credential = ScramCredential.from_password(mechanism, password, RFC_7677_SALT, 4_096)
    return lambda name: credential if name == user else None


def conversation(
    mechanism: str = "SCRAM-SHA-256", user: str = "user", password: str = "pencil", nonce: str = RFC_7677_SERVER_NONCE
) -> ScramConversation:
    return ScramConversation(mechanism, known(mechanism, user, password), nonce=nonce, pepper=PEPPER)


def client_final(mechanism: str, password: str, first_bare: str, server_first: str, head: str = "n,,") -> str:
    """What a client of RFC 5802 says in the end; written again here, from the RFC's formulas."""
    digest = "sha256" if mechanism.endswith("256") else "sha512"
    said = dict(part.split("=", 1) for part in server_first.split(","))
    salted = hashlib.pbkdf2_hmac(digest, password.encode(), base64.b64decode(said["s"]), int(said["i"]))
    client_key = hmac.digest(salted, b"Client Key", digest)
    unproven = f"c={base64.b64encode(head.encode()).decode()},r={said['r']}"
    signature = hmac.digest(
        hashlib.new(digest, client_key).digest(), f"{first_bare},{server_first},{unproven}".encode(), digest
    )
    proof = (int.from_bytes(client_key, "big") ^ int.from_bytes(signature, "big")).to_bytes(len(signature), "big")
    return f"{unproven},p={base64.b64encode(proof).decode()}"


def test_scram_sha_256_says_what_the_rfc_says() -> None:
    """The example exchange of RFC 7677, section 3."""
    server = conversation()
    assert server.step(b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO") == Challenge(
        b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
    )
    final = (
        b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
    )
    assert server.step(final) == Accepted("user", b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-256", "SCRAM-SHA-512"])
@pytest.mark.parametrize("head", ["n,,", "y,,", "n,a=user,"])
def test_scram_right_password_is_accepted(mechanism: str, head: str) -> None:
    server = conversation(mechanism)
    challenge = server.step(f"{head}n=user,r=abc".encode())
    final = client_final(mechanism, "pencil", "n=user,r=abc", challenge.token.decode(), head)
    assert isinstance(server.step(final.encode()), Accepted)


def test_scram_extensions_are_signed_and_ignored() -> None:
    server = conversation()
    challenge = server.step(b"n,,n=user,r=abc,ext=1")
    final = client_final("SCRAM-SHA-256", "pencil", "n=user,r=abc,ext=1", challenge.token.decode())
    assert isinstance(server.step(final.encode()), Accepted)


def test_scram_name_with_comma_and_equals_sign_is_decoded() -> None:
    server = conversation(user="a,b=c")
    challenge = server.step(b"n,,n=a=2Cb=3Dc,r=abc")
    final = client_final("SCRAM-SHA-256", "pencil", "n=a=2Cb=3Dc,r=abc", challenge.token.decode())
    outcome = server.step(final.encode())
    assert isinstance(outcome, Accepted)
    assert outcome.user == "a,b=c"


@pytest.mark.parametrize("user", ["user", "nobody"])
def test_scram_wrong_password_and_unknown_user_are_told_alike(user: str) -> None:
    server = conversation()
    challenge = server.step(f"n,,n={user},r=abc".encode())
    assert isinstance(challenge, Challenge)
    final = client_final("SCRAM-SHA-256", "guess", f"n={user},r=abc", challenge.token.decode())
    with pytest.raises(RejectedError) as caught:
        server.step(final.encode())
    assert str(caught.value) == (
        "Authentication failed during authentication due to invalid credentials with SASL mechanism SCRAM-SHA-256"
    )


def test_scram_unknown_user_is_shown_the_same_salt_each_time() -> None:
    """Another salt at each try would tell that there is no such user."""
    salts = {conversation().step(b"n,,n=nobody,r=abc").token for _ in range(2)}
    assert len(salts) == 1
    assert conversation().step(b"n,,n=somebody,r=abc").token not in salts


def test_scram_other_authorization_id_is_refused() -> None:
    with pytest.raises(RejectedError, match="authorization id"):
        conversation().step(b"n,a=admin,n=user,r=abc")


def test_scram_delegation_token_is_refused() -> None:
    with pytest.raises(RejectedError, match="delegation tokens"):
        conversation().step(b"n,,n=user,r=abc,tokenauth=true")


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"\xff",
        b"n,,",
        b"n,,n=user",
        b"n,,r=abc",
        b"n,,n=,r=abc",
        b"n,,n=user,r=",
        b"n,,n=user,r=a b",
        b"n,,n=us=er,r=abc",
        b"p=tls-unique,,n=user,r=abc",
        b"n,,m=x,n=user,r=abc",
    ],
)
def test_scram_malformed_first_message_is_refused(message: bytes) -> None:
    with pytest.raises(RejectedError, match="malformed"):
        conversation().step(message)


@pytest.mark.parametrize(
    "change",
    [
        lambda final: "",
        lambda final: final.replace("c=biws", "c=eSws"),
        lambda final: final.replace("r=abc", "r=abd"),
        lambda final: final.split(",p=")[0],
        lambda final: final.split(",p=")[0] + ",p=A",
        lambda final: final + ",x=1",
    ],
)
def test_scram_final_message_that_does_not_fit_the_first_is_refused(change: Callable[[str], str]) -> None:
    server = conversation()
    challenge = server.step(b"n,,n=user,r=abc")
    final = change(client_final("SCRAM-SHA-256", "pencil", "n=user,r=abc", challenge.token.decode()))
    with pytest.raises(RejectedError, match="malformed"):
        server.step(final.encode())


@pytest.mark.parametrize("size", [0, 1, 31, 33])
def test_scram_proof_of_another_length_is_refused(size: int) -> None:
    server = conversation()
    challenge = server.step(b"n,,n=user,r=abc")
    final = client_final("SCRAM-SHA-256", "pencil", "n=user,r=abc", challenge.token.decode())
    unproven, _, proof = final.partition(",p=")
    cut = (base64.b64decode(proof) + b"\0")[:size]
    with pytest.raises(RejectedError):
        server.step(f"{unproven},p={base64.b64encode(cut).decode()}".encode())


@given(st.lists(st.binary(max_size=60) | st.just(b"n,,n=user,r=abc"), max_size=3))
def test_scram_garbage_is_never_accepted(messages: list[bytes]) -> None:
    server = conversation()
    for message in messages:
        try:
            assert isinstance(server.step(message), Challenge)
        except RejectedError:
            break


def test_credential_shows_no_secret() -> None:
    credential = ScramCredential.from_password("SCRAM-SHA-512", "pencil", b"salt of 16 bytes", 4_096)
    assert repr(credential) == "ScramCredential(iterations=4096)"
