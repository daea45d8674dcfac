"""What generated code calls where something raised: whose line it was, and whether the record is dropped there."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType, TracebackType

from streams.compile.clock import NO_RECORD
from streams.compile.program import Message, RecordFailure
from streams.compile.source_text import SourceText

Drop = Callable[[Exception, Message], None]


class FailureFinder:
    """Of one generated module. Its work is done only where something failed, so that nothing has to be kept for it
    where nothing does."""

    def __init__(self, filename: str, text: SourceText) -> None:
        self._filename = filename
        self._text = text

    def find(self, index: int, error: Exception, message: Message | None = None) -> RecordFailure:
        """What to raise: the innermost generated line tells whose it was. What was asked about already stays as it
        is."""
        if isinstance(error, RecordFailure):
            error.index = index
            return error
        line = 0
        trace: TracebackType | None = error.__traceback__
        while trace is not None:
            if trace.tb_frame.f_code.co_filename == self._filename:
                line = trace.tb_lineno
            trace = trace.tb_next
        mark = self._text.mark_of(line)
        if mark is None:
            return RecordFailure(index, None, "processing", error, message)
        return RecordFailure(index, mark.node, mark.kind, error, message, mark.part)

    def dropping(self, ask: Callable[[RecordFailure], None] | None) -> Drop:
        """What a task's guards call; `ask` as `TaskBinding.drop`."""

        def drop(error: Exception, message: Message) -> None:
            """Returns if the record is to be dropped where it failed. Raises RecordFailure."""
            if isinstance(error, RecordFailure):
                raise error
            if message is NO_RECORD:  # time made it happen: the record that moved it is told
                message = self._record_of(sys._getframe(1)) or message  # pyright: ignore[reportPrivateUsage]
            failure = self.find(-1, error, message)
            if ask is not None:
                ask(failure)
            if ask is None or failure.verdict is not None:
                raise failure

        return drop

    def _record_of(self, frame: FrameType | None) -> Message | None:
        """The record being processed by the generated functions on the stack, None if there is none."""
        while frame is not None:
            if frame.f_code.co_filename == self._filename:
                known = frame.f_locals
                if "messages" in known:
                    return known["messages"][known["index"]]
                message = known.get("m")
                if message is not None and message is not NO_RECORD:
                    return message
            frame = frame.f_back
        return None
