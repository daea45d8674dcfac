"""One connection to one server, and what can go wrong on it."""

from __future__ import annotations

import socket
import ssl
import struct
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from kio.schema.errors import ErrorCode

from streams.errors import ConfigError
from streams.wire import (
    Address,
    AnswerTimeoutError,
    AuthenticationError,
    Client,
    Connection,
    ConnectionFailedError,
    RefusedError,
    Sasl,
    Security,
    Tls,
    UnsupportedVersionError,
    parse_addresses,
)
from streams.wire.requests import Beaten, Heartbeat, JoinGroup, OffsetCommit, OffsetFetch, OffsetToCommit
from tests.streams.wire.server import Answer, ScriptedServer, versions

HEARTBEAT = Heartbeat(group_id="g", member_id="m", instance_id=None, generation=3)
NO_THROTTLE = {"throttle_time": timedelta(0)}


def beating(code: ErrorCode = ErrorCode.none) -> Answer:
    return lambda _request, _version: {"error_code": code, **NO_THROTTLE}


def connect(server: ScriptedServer, security: Security | None = None, timeout_s: float = 5.0) -> Connection:
    return Connection.open(server.address, client_id="test", security=security or Security(), timeout_s=timeout_s)


@pytest.mark.parametrize(("served", "spoken"), [((0, 3), 3), ((0, 4), 4), ((4, 9), 4)])
def test_call_speaks_the_highest_version_both_know(served: tuple[int, int], spoken: int) -> None:
    with ScriptedServer({18: versions(k12=served), 12: beating()}) as server:
        connection = connect(server)
        assert connection.call(HEARTBEAT, timeout_s=5) == Beaten(error=ErrorCode.none)
        connection.close()
    assert [(key, version) for key, version, _ in server.requests] == [(18, 3), (12, spoken)]
    assert server.requests[1][2].generation_id == 3


@pytest.mark.parametrize("served", [{"k12": (0, 2)}, {"k12": (5, 6)}, {}])
def test_call_without_a_common_version_says_which_are_needed(served: dict[str, tuple[int, int]]) -> None:
    with ScriptedServer({18: versions(**served)}) as server:
        connection = connect(server)
        with pytest.raises(UnsupportedVersionError, match="Heartbeat is needed in versions 3 to 4"):
            connection.call(HEARTBEAT, timeout_s=5)
        connection.close()


def test_open_old_server_falls_back_to_version_0_of_api_versions() -> None:
    def old(request: Any, version: int) -> dict[str, Any]:
        if version > 0:
            return {"error_code": ErrorCode.unsupported_version, "api_keys": (), "in_version": 0}
        return versions(k12=(0, 3))(request, version)

    with ScriptedServer({18: old}) as server:
        connection = connect(server)
        connection.close()
    assert connection.versions[12] == (0, 3)
    assert [version for _, version, _ in server.requests] == [3, 0]


def test_open_nobody_listens_names_the_address() -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        address = Address("127.0.0.1", unused.getsockname()[1])
    with pytest.raises(ConnectionFailedError, match=str(address)):
        Connection.open(address, client_id="test", security=Security(), timeout_s=1.0)


def test_open_silent_server_times_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = Address("127.0.0.1", silent.getsockname()[1])
        with pytest.raises(AnswerTimeoutError) as caught:
            Connection.open(address, client_id="test", security=Security(), timeout_s=0.05)
    assert caught.value.retriable


def test_call_server_hangs_up_fails_retriably() -> None:
    with ScriptedServer({18: versions(k12=(0, 4)), 12: lambda _request, _version: None}) as server:
        connection = connect(server)
        with pytest.raises(ConnectionFailedError) as caught:
            connection.call(HEARTBEAT, timeout_s=5)
    assert caught.value.retriable


@pytest.mark.parametrize(
    ("garbage", "what"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "does not speak Kafka"),
        (struct.pack(">ii", 4, 999), "cannot be read"),
        (struct.pack(">iibihb", 12, 999, 0, 0, 0, 0), "out of order"),
    ],
    ids=["http", "short", "other correlation id"],
)
def test_call_garbage_is_refused(garbage: bytes, what: str) -> None:
    with ScriptedServer({18: versions(k12=(4, 4)), 12: lambda _request, _version: garbage}) as server:
        connection = connect(server)
        with pytest.raises(ConnectionFailedError, match=what):
            connection.call(HEARTBEAT, timeout_s=5)


def test_receive_woken_returns_nothing_and_the_answer_later() -> None:
    waker, sleeper = socket.socketpair()
    with ScriptedServer({18: versions(k12=(0, 4)), 12: beating()}) as server, waker, sleeper:
        connection = connect(server)
        waker.send(b"x")
        assert connection.receive(timeout_s=None, wake=sleeper) is None
        sleeper.recv(1)
        connection.send(HEARTBEAT)
        assert connection.receive(timeout_s=5.0, wake=sleeper) == Beaten(error=ErrorCode.none)
        connection.close()


def test_receive_idle_notices_that_the_server_is_gone() -> None:
    with ScriptedServer({18: versions()}) as server:
        connection = connect(server)
    with pytest.raises(ConnectionFailedError):
        connection.receive(timeout_s=5.0)


@pytest.mark.parametrize("version", range(JoinGroup.api.lowest, JoinGroup.api.highest + 1))
def test_join_group_is_understood_in_every_version(version: int) -> None:
    def joined(request: Any, version: int) -> dict[str, Any]:
        member = {"member_id": "m", "group_instance_id": "i", "metadata": request.protocols[0].metadata}
        return {
            "error_code": ErrorCode.none,
            "generation_id": 4,
            "protocol_type": "consumer",
            "protocol_name": request.protocols[0].name,
            "leader": "m",
            "skip_assignment": True,
            "member_id": "m",
            "members": (member,),
            **NO_THROTTLE,
        }

    request = JoinGroup(
        group_id="g",
        member_id="",
        instance_id="i",
        session_timeout_ms=6_000,
        rebalance_timeout_ms=60_001,
        protocol_type="consumer",
        protocol="headrace",
        metadata=b"data",
        reason="why not",
    )
    with ScriptedServer({18: versions(k11=(version, version)), 11: joined}) as server:
        connection = connect(server)
        answer = connection.call(request, timeout_s=5)
        connection.close()
    assert (answer.generation, answer.leader, answer.protocol) == (4, "m", "headrace")
    assert answer.skip_assignment == (version >= 9)
    assert answer.members[0].metadata == b"data"
    assert server.requests[1][2].rebalance_timeout == timedelta(milliseconds=60_001)


@pytest.mark.parametrize("version", range(OffsetFetch.api.lowest, OffsetFetch.api.highest + 1))
def test_offset_fetch_is_understood_in_every_version(version: int) -> None:
    def fetched(request: Any, version: int) -> dict[str, Any]:
        assert request.require_stable
        asked = request.groups[0].topics if version >= 8 else request.topics
        topics = tuple(
            {
                "name": topic.name,
                "partitions": tuple(
                    {
                        "partition_index": index,
                        "committed_offset": 10 + index,
                        "committed_leader_epoch": 2,
                        "metadata": "x",
                        "error_code": ErrorCode.none,
                    }
                    for index in topic.partition_indexes
                ),
            }
            for topic in asked
        )
        group = {"group_id": "g", "topics": topics, "error_code": ErrorCode.none}
        return {**group, "groups": (group,), **NO_THROTTLE}

    partitions = [("b", 1), ("a", 0), ("b", 0)]
    with ScriptedServer({18: versions(k9=(version, version)), 9: fetched}) as server:
        connection = connect(server)
        answer = connection.call(OffsetFetch(group_id="g", partitions=partitions), timeout_s=5)
        connection.close()
    assert {place: offset.offset for place, offset in answer.offsets.items()} == {
        ("a", 0): 10,
        ("b", 0): 10,
        ("b", 1): 11,
    }


def test_offset_commit_reports_each_partition() -> None:
    def committed(request: Any, version: int) -> dict[str, Any]:
        del version
        return {
            "topics": tuple(
                {
                    "name": topic.name,
                    "partitions": tuple(
                        {"partition_index": p.partition_index, "error_code": ErrorCode(p.partition_index)}
                        for p in topic.partitions
                    ),
                }
                for topic in request.topics
            ),
            **NO_THROTTLE,
        }

    offsets = {(topic, p): OffsetToCommit(offset=1, metadata="m") for topic, p in [("b", 1), ("a", 0), ("b", 0)]}
    request = OffsetCommit(group_id="g", member_id="m", instance_id=None, generation=1, offsets=offsets)
    with ScriptedServer({18: versions(k8=(2, 9)), 8: committed}) as server:
        connection = connect(server)
        answer = connection.call(request, timeout_s=5)
        connection.close()
    assert answer == {place: ErrorCode(place[1]) for place in offsets}


# -- finding servers -------------------------------------------------------------------------------------------------


def coordinator_at(address: Address, code: ErrorCode = ErrorCode.none) -> Answer:
    def found(request: Any, version: int) -> dict[str, Any]:
        del request, version
        where = {"node_id": 1, "host": address.host, "port": address.port, "error_code": code, "error_message": None}
        return {**where, "coordinators": ({"key": "g", **where},), **NO_THROTTLE}

    return found


@pytest.mark.parametrize("version", range(1, 7))
def test_client_goes_on_to_the_coordinator(version: int) -> None:
    with ScriptedServer({18: versions(k12=(0, 4)), 12: beating()}) as coordinator:
        answers = {18: versions(k10=(version, version)), 10: coordinator_at(coordinator.address)}
        with ScriptedServer(answers) as server:
            client = Client(bootstrap=(Address("127.0.0.1", 1), server.address), client_id="test")
            connection = client.connect_coordinator("g")
            assert connection.address == coordinator.address
            connection.close()


def test_client_coordinator_not_available_is_retriable() -> None:
    answers = {18: versions(k10=(0, 6)), 10: coordinator_at(Address("", -1), ErrorCode.coordinator_not_available)}
    with ScriptedServer(answers) as server, pytest.raises(RefusedError) as caught:
        Client(bootstrap=(server.address,), client_id="test").connect_coordinator("g")
    assert caught.value.retriable


@pytest.mark.parametrize(
    ("text", "addresses"),
    [
        ("a:1", [Address("a", 1)]),
        ("a:1, b:2", [Address("a", 1), Address("b", 2)]),
        ("a", [Address("a", 9092)]),
        ("PLAINTEXT://a:7", [Address("a", 7)]),
        ("[::1]:7,::1", [Address("::1", 7), Address("::1", 9092)]),
    ],
)
def test_parse_addresses_takes_what_librdkafka_takes(text: str, addresses: list[Address]) -> None:
    assert list(parse_addresses(text)) == addresses


@pytest.mark.parametrize("text", ["", " , ", "a:b", "a:0", "a:70000"])
def test_parse_addresses_refuses_the_rest(text: str) -> None:
    with pytest.raises(ConfigError, match="bootstrap_servers"):
        parse_addresses(text)


# -- SASL ------------------------------------------------------------------------------------------------------------

SASL_APIS = {"k17": (0, 1), "k36": (0, 2)}


def handshake(*mechanisms: str) -> Answer:
    def answer(request: Any, version: int) -> dict[str, Any]:
        del version
        known = request.mechanism in mechanisms
        code = ErrorCode.none if known else ErrorCode.unsupported_sasl_mechanism
        return {"error_code": code, "mechanisms": mechanisms}

    return answer


def reply(data: bytes = b"", message: str | None = None) -> dict[str, Any]:
    code = ErrorCode.none if message is None else ErrorCode.sasl_authentication_failed
    return {
        "error_code": code,
        "error_message": message,
        "auth_bytes": data,
        "session_lifetime": timedelta(0),
    }


def test_sasl_plain_shows_user_and_password() -> None:
    security = Security(sasl=Sasl(mechanism="PLAIN", username="u", password="p"))
    answers: dict[int, Answer] = {
        18: versions(**SASL_APIS, k12=(0, 4)),
        17: handshake("PLAIN"),
        36: lambda request, _: reply() if request.auth_bytes == b"\0u\0p" else reply(message="no"),
        12: beating(),
    }
    with ScriptedServer(answers) as server:
        connection = connect(server, security)
        assert connection.call(HEARTBEAT, timeout_s=5).error == ErrorCode.none
        connection.close()


def test_sasl_wrong_password_names_user_and_setting() -> None:
    security = Security(sasl=Sasl(mechanism="PLAIN", username="u", password="p"))
    answers: dict[int, Answer] = {
        18: versions(**SASL_APIS),
        17: handshake("PLAIN"),
        36: lambda _request, _version: reply(message="Authentication failed"),
    }
    with ScriptedServer(answers) as server, pytest.raises(AuthenticationError, match=r"'u': .* check sasl\.username"):
        connect(server, security)


def test_sasl_mechanism_not_offered_says_which_are() -> None:
    security = Security(sasl=Sasl(mechanism="PLAIN", username="u", password="p"))
    answers: dict[int, Answer] = {18: versions(**SASL_APIS), 17: handshake("GSSAPI", "OAUTHBEARER")}
    with ScriptedServer(answers) as server, pytest.raises(AuthenticationError, match="GSSAPI, OAUTHBEARER"):
        connect(server, security)


# -- TLS -------------------------------------------------------------------------------------------------------------

CERTIFICATES = Path(__file__).parent / "certificates"
"""A key and a self-signed certificate for 127.0.0.1, valid for a century and of no use elsewhere."""


def tls_server() -> ScriptedServer:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATES / "server.pem", CERTIFICATES / "server.key")
    return ScriptedServer({18: versions(k12=(0, 4)), 12: beating()}, tls=context)


def test_tls_known_authority_is_trusted() -> None:
    with tls_server() as server:
        connection = connect(server, Security(tls=Tls(authorities=str(CERTIFICATES / "server.pem"))))
        assert connection.receive(timeout_s=0.01) is None
        assert connection.call(HEARTBEAT, timeout_s=5).error == ErrorCode.none
        connection.close()


def test_tls_unknown_authority_is_refused_with_the_setting() -> None:
    with tls_server() as server, pytest.raises(AuthenticationError, match=r"ssl\.ca\.location") as caught:
        connect(server, Security(tls=Tls()))
    assert not caught.value.retriable


def test_tls_verification_switched_off_takes_anybody() -> None:
    with tls_server() as server:
        connection = connect(server, Security(tls=Tls(verify=False)))
        assert connection.call(HEARTBEAT, timeout_s=5).error == ErrorCode.none
        connection.close()


def test_tls_to_a_plain_server_fails() -> None:
    with ScriptedServer({18: versions()}) as server, pytest.raises((ConnectionFailedError, AuthenticationError)):
        connect(server, Security(tls=Tls(verify=False)), timeout_s=0.5)
