"""First contact: ApiVersions in all forms, versions and APIs that are not there, frames that are none."""

from __future__ import annotations

import struct

from broker.protocol.api_keys import ApiKey
from tests.differential.session import Session


def play(session: Session) -> None:
    for version in range(5):
        session.ask(
            "versions", ApiKey.API_VERSIONS, version, client_software_name="wire", client_software_version="1.0"
        )
    for name, software in (("", "1"), ("a b", "1"), ("-a", "1"), ("a-", "1"), ("a.b-c", "1"), ("a", ""), ("a", "1_0")):
        session.ask(f"client {name!r} {software!r}", ApiKey.API_VERSIONS, 3, client_software_name=name,
                    client_software_version=software)  # fmt: skip
    session.raw("ApiVersions v99", frame(18, 99, b"\0\0"))
    session.raw("ApiVersions v-1", frame(18, -1, b""))
    session.raw("ApiVersions v3 without its fields", frame(18, 3, b"\0"))
    session.raw("unknown API", frame(999, 0, b""))
    session.raw("negative API", frame(-3, 0, b""))
    session.raw("Metadata v99", frame(3, 99, b""))
    session.raw("Produce v2", frame(0, 2, b""))
    session.raw("Fetch v3", frame(1, 3, b""))
    session.raw("LeaderAndIsr, an API of old", frame(4, 0, b""))
    session.raw("Metadata cut short", frame(3, 0, b"\0\0\0\1"))
    session.raw("Metadata with bytes left over", frame(3, 0, b"\0\0\0\0rubbish"))
    session.raw("no header", struct.pack(">i", 0))
    session.raw("half a header", struct.pack(">ihh", 4, 18, 0))
    session.raw("negative size", struct.pack(">i", -1))
    session.raw("a frame of two gigabytes", struct.pack(">i", 0x7FFFFFFF) + b"\0" * 16)
    session.raw("GET", b"GET / HTTP/1.1\r\n\r\n")
    session.raw("client id null", struct.pack(">ihhih", 10, 18, 0, 7, -1))
    unknown = b"\1\x63\3abc"
    session.raw("unknown tagged field", frame(60, 0, b"\0\0" + unknown))
    session.raw("unknown tagged field of the header", frame(60, 0, unknown + b"\0\0"))
    session.raw("unknown tagged field longer than the request", frame(60, 0, b"\0\0\1\x63\x40abc"))
    session.raw(
        "unknown tagged fields, one of them with a known tag's number twice", frame(60, 0, b"\0\0\2\x63\0\x63\0")
    )
    session.raw("unknown tagged field of a later ApiVersions", frame(18, 3, b"\0\2a\2b" + unknown))


def frame(key: int, version: int, body: bytes) -> bytes:
    """A request with header v1 and the correlation id 7."""
    data = struct.pack(">hhih", key, version, 7, 4) + b"wire" + body
    return struct.pack(">i", len(data)) + data
