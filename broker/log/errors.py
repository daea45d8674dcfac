"""Why a batch is not appended."""

from __future__ import annotations

from kio.schema.errors import ErrorCode


class AppendRefused(Exception):
    """The batch breaks a rule; nothing was written. `record_errors` names records by index, where single ones do."""

    def __init__(self, code: ErrorCode, message: str, record_errors: tuple[tuple[int, str], ...] = ()) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.record_errors = record_errors
