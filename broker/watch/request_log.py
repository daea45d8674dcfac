"""One line for each request, when it is answered: `broker.requests`, level INFO."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from kio.schema.errors import ErrorCode

from broker.protocol.api_keys import api_name

if TYPE_CHECKING:
    from broker.watch.watch import Request

LOG = logging.getLogger("broker.requests")
NONE = "NONE"
NO_ANSWER = "NO_ANSWER"


class RequestLog:
    """On while it exists. In JSON logs the fields stand beside the message: `api`, `version`, `client_id`, `software`
    (name and version as told in ApiVersions), `address`, `bytes`, `ms`, `error` (Kafka's names, the different ones of
    the answer; NO_ANSWER: the connection was closed first)."""

    def __init__(self) -> None:
        LOG.setLevel(logging.INFO)

    def write(self, request: Request, seconds: float, errors: Sequence[int] | None) -> None:
        """`errors`: codes other than 0 in the answer; None: there was none."""
        operation, connection = request.operation, request.connection
        named = NO_ANSWER if errors is None else ",".join(dict.fromkeys(map(error_name, errors))) or NONE
        fields: dict[str, Any] = {
            "api": api_name(operation.api.key),
            "version": operation.version,
            "client_id": request.client_id,
            "software": connection.software or None,
            "address": connection.address,
            "bytes": request.size,
            "ms": round(seconds * 1000, 3),
            "error": named,
        }
        LOG.info(
            "%s v%d client=%s software=%s from=%s bytes=%d ms=%.3f error=%s",
            fields["api"], operation.version, request.client_id or "-", connection.software or "-",
            connection.address, request.size, seconds * 1000, named,
            extra=fields,
        )  # fmt: skip


def error_name(code: int) -> str:
    """Kafka's name of an error code."""
    try:
        return ErrorCode(code).name.upper()
    except ValueError:
        return str(code)
