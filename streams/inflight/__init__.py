"""Records that an operator has taken and not answered yet: calls of asynchronous functions, batches."""

from streams.inflight.async_line import AsyncLine, CallPolicy
from streams.inflight.batch_format import BATCH_FORMATS, BatchFormat, BatchValues, batch_values
from streams.inflight.batch_line import BatchLine
from streams.inflight.call_loop import CallLoop
from streams.inflight.in_flight import InFlight
from streams.inflight.line import Line

__all__ = [
    "BATCH_FORMATS",
    "AsyncLine",
    "BatchFormat",
    "BatchLine",
    "BatchValues",
    "CallLoop",
    "CallPolicy",
    "InFlight",
    "Line",
    "batch_values",
]
