"""Why a worker does again what it did since the last commit."""

from __future__ import annotations

from typing import ClassVar

from streams.errors import StreamsError


class WorkUndoneError(StreamsError):
    """What was done since the last commit does not count, and its input is to be processed again: drop what is not
    committed, have the guarantee take back what it can, go on from the last commit."""

    event: ClassVar[str] = "work_undone"
    """Names it in the log."""
