"""Why a topic cannot be created or changed."""

from __future__ import annotations

from kio.schema.errors import ErrorCode


class TopicError(Exception):
    """Carries the protocol's error code and a message fit for the client."""

    def __init__(self, code: ErrorCode, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
