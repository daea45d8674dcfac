"""Reading the beginning of a frame, and its body where entities do that."""

from __future__ import annotations

from struct import Struct
from typing import Any

from broker.handlers.table import Operation
from broker.protocol.errors import MalformedRequestError
from broker.protocol.varint import skip_tags

size_struct = Struct(">i")


def skip_header_tags(frame: memoryview, position: int) -> int:
    """Raises MalformedRequestError, IndexError."""
    try:
        return skip_tags(frame, position)
    except ValueError as error:
        raise MalformedRequestError(str(error)) from error


def strange_beginning(data: memoryview, listener: str) -> str:
    """What to say of a client whose first four bytes cannot be the size of a request."""
    beginning = bytes(data[:4])
    if beginning.startswith(b"\x16\x03"):
        return f"speaks TLS, and listener {listener} does not: set security.protocol=plaintext or sasl_plaintext"
    if beginning in (b"GET ", b"POST", b"PUT ", b"HEAD"):
        return f"speaks HTTP, and listener {listener} speaks Kafka's protocol"
    return f"announced a request of {size_struct.unpack(beginning)[0]} bytes"


def read_entity(operation: Operation, frame: memoryview, position: int) -> Any:
    """The request entity. Raises MalformedRequestError whatever the codec raises: the bytes are to blame."""
    assert operation.entities is not None
    try:
        return operation.entities.read(frame, position)
    except Exception as error:
        raise MalformedRequestError(str(error)) from error
