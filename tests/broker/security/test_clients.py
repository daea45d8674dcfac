"""Unmodified clients on secured listeners: each mechanism, with and without TLS, and what the refused are told."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.abc import AbstractTokenProvider
from confluent_kafka import Consumer, KafkaError, Producer
from confluent_kafka.admin import AdminClient

from tests.broker.security.authority import CN, OU
from tests.broker.security.secured import PASSWORD, PASSWORD_MECHANISMS, USER, Secured
from tests.broker.waits import wait_for

WAYS = [
    ("SSL", None),
    *(
        (listener, mechanism)
        for listener in ("SASL_PLAINTEXT", "SASL_SSL")
        for mechanism in (*PASSWORD_MECHANISMS, "OAUTHBEARER")
    ),
]


@pytest.fixture
def topic() -> str:
    return f"t-{uuid4().hex[:8]}"


@pytest.mark.parametrize(("listener", "mechanism"), WAYS)
def test_confluent_client_writes_reads_and_stays_on_its_listener(
    secured: Secured, topic: str, listener: str, mechanism: str | None
) -> None:
    properties = secured.librdkafka(listener, mechanism)
    producer = Producer({**properties, "linger.ms": 0})
    producer.produce(topic, b"secret")
    assert producer.flush(20) == 0
    consumer = Consumer({**properties, "group.id": topic, "auto.offset.reset": "earliest"})
    consumer.subscribe([topic])
    message = wait_for(lambda: consumer.poll(0.5), "the record")
    assert (message.error(), message.value()) == (None, b"secret")
    brokers = consumer.list_topics(timeout=10).brokers.values()
    assert [f"{one.host}:{one.port}" for one in brokers] == [secured.broker.bootstrap_servers_of(listener)]
    consumer.close()


class Tokens(AbstractTokenProvider):
    def __init__(self, secured: Secured) -> None:
        self.secured = secured

    async def token(self) -> str:
        return self.secured.token()


@pytest.mark.parametrize(("listener", "mechanism"), WAYS)
def test_aiokafka_client_writes_and_reads(secured: Secured, topic: str, listener: str, mechanism: str | None) -> None:
    async def work() -> bytes | None:
        how: dict[str, Any] = {
            "bootstrap_servers": secured.broker.bootstrap_servers_of(listener),
            "security_protocol": listener,
        }
        if listener.endswith("SSL"):
            how["ssl_context"] = ssl.create_default_context(cafile=secured.authorities_file)
        if mechanism is not None:
            how |= {"sasl_mechanism": mechanism, "sasl_plain_username": USER, "sasl_plain_password": PASSWORD}
        if mechanism == "OAUTHBEARER":
            how["sasl_oauth_token_provider"] = Tokens(secured)
        async with AIOKafkaProducer(**how) as producer:
            await producer.send_and_wait(topic, b"secret")
        async with AIOKafkaConsumer(topic, group_id=topic, auto_offset_reset="earliest", **how) as consumer:
            message = await consumer.getone()
        return message.value

    assert asyncio.run(asyncio.wait_for(work(), 30)) == b"secret"


# -- refusals ----------------------------------------------------------------------------------------------------------
def first_error(properties: dict[str, Any]) -> KafkaError:
    """What a client learns of a connection that does not come about."""
    errors: list[KafkaError] = []
    producer = Producer({**properties, "error_cb": errors.append})
    wait_for(lambda: (producer.poll(0.05), errors)[1], "the refusal")
    return errors[0]


@pytest.mark.parametrize("mechanism", PASSWORD_MECHANISMS)
@pytest.mark.parametrize("wrong", [{"sasl_password": "guess"}, {"sasl_username": "mallory"}])
def test_wrong_password_or_user_is_told(secured: Secured, mechanism: str, wrong: dict[str, str]) -> None:
    error = first_error(secured.librdkafka("SASL_SSL", mechanism, **wrong))
    assert error.code() == KafkaError._AUTHENTICATION
    expected = "Invalid username or password" if mechanism == "PLAIN" else "due to invalid credentials with SASL"
    assert expected in error.str()


@pytest.mark.parametrize(
    "token",
    [
        lambda secured: secured.token(-60),
        lambda secured: secured.token(aud="others"),
        lambda secured: secured.token()[:-4] + "AAAA",
    ],
    ids=["expired", "for others", "forged"],
)
def test_bad_token_is_told(secured: Secured, token: Callable[[Secured], str]) -> None:
    properties = secured.librdkafka("SASL_SSL", "OAUTHBEARER")
    error = first_error({**properties, "oauth_cb": lambda _: (token(secured), time.time() + 300)})
    assert error.code() == KafkaError._AUTHENTICATION
    assert "invalid_token" in error.str()


def test_client_that_does_not_know_the_authority_refuses(secured: Secured) -> None:
    properties = secured.librdkafka("SSL")
    del properties["ssl.ca.location"]
    assert "certificate verify failed" in first_error(properties).str()


def test_client_with_a_certificate_is_served(secured: Secured, tmp_path: Path) -> None:
    certificate, key = secured.authority.sign([(OU, "orders"), (CN, "alice")]).write(tmp_path, "alice")
    properties = secured.librdkafka("SSL", ssl_certificate_location=str(certificate), ssl_key_location=str(key))
    assert AdminClient(properties).list_topics(timeout=20).brokers.keys() == {1}
