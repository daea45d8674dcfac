"""Takes requests to their handlers while somebody watches: they may meet a fault, are logged, are counted."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from inspect import isawaitable
from time import perf_counter
from typing import TYPE_CHECKING, Any, cast

from broker.faults.plan import FaultPlan
from broker.protocol.api_keys import ApiKey
from broker.watch.answer_errors import errors_in_answer
from broker.watch.request_log import RequestLog
from broker.watch.suffering import request_entity, suffer

if TYPE_CHECKING:
    from broker.faults.fault import Fault
    from broker.handlers.table import Operation
    from broker.server.connection import Connection
    from broker.server.context import RequestContext
    from broker.watch.request_meter import RequestMeter


class Request:
    """One request on its way."""

    __slots__ = ("client_id", "connection", "entity", "operation", "size", "started")

    def __init__(
        self,
        connection: Connection,
        operation: Operation,
        client_id: str | None,
        size: int,
        entity: Any,
        started: float,
    ) -> None:
        self.connection = connection
        self.operation = operation
        self.client_id = client_id
        self.size = size
        """Bytes, header included."""
        self.entity = entity
        """None for Produce and Fetch, which read themselves."""
        self.started = started


class Watch:
    """Belongs to a server, which hands requests over while `needed`. Used in the event loop's thread."""

    def __init__(self, changed: Callable[[], None]) -> None:
        self.faults = FaultPlan()
        self.log: RequestLog | None = None
        self.meter: RequestMeter | None = None
        self.told = changed
        """To be called when `needed` may have changed."""
        self.faulty = False
        """Whether any request can meet a fault."""

    @property
    def needed(self) -> bool:
        return self.log is not None or self.meter is not None or self.faulty

    def changed(self) -> None:
        """To be called when faults, log or meter have come or gone."""
        self.faulty = self.faults.active
        self.told()

    def log_requests(self, on: bool) -> None:
        self.log = RequestLog() if on else None
        self.changed()

    def count_requests(self, meter: RequestMeter) -> None:
        self.meter = meter
        self.changed()

    def handle(
        self,
        connection: Connection,
        operation: Operation,
        context: RequestContext,
        frame: memoryview,
        position: int,
        read: Callable[[Operation, memoryview, int], Any],
    ) -> Any:
        """What the handler returns, or an awaitable of it. `read` gives the request entity."""
        if operation.entities is None and self.log is None and not self.faulty:
            started = perf_counter()  # Produce or Fetch, to be counted only: the hot path
            result = operation.handle(context, frame, position)
            if type(result) is list and (meter := self.meter) is not None:
                answer = cast("list[bytes]", result)
                size = len(answer[0]) if len(answer) == 1 else sum(map(len, answer))
                errors = errors_in_answer(operation, answer)
                meter.count(operation, perf_counter() - started, len(frame), size, errors)
                return answer
            return self.later(Request(connection, operation, context.client_id, len(frame), None, started), result)
        entity: Any = None if operation.entities is None else read(operation, frame, position)
        request = Request(connection, operation, context.client_id, len(frame), entity, perf_counter())
        if operation.api.key == ApiKey.API_VERSIONS and operation.version >= 3:
            connection.software = f"{entity.client_software_name}/{entity.client_software_version}"
        if self.faulty and (fault := self.struck(request, context, frame, position)) is not None:
            result = suffer(request, context, fault, memoryview(bytearray(frame)), position)
        elif entity is None:
            result = operation.handle(context, frame, position)
        else:
            result = operation.handle(context, entity)
        return self.later(request, result)

    def later(self, request: Request, result: Any) -> Any:
        """Sees to it that the request is noted when its answer is there."""
        if not isawaitable(result):
            self.answered(request, result)
            return result
        if asyncio.isfuture(result):
            result.add_done_callback(partial(self.done, request))
            return cast(Any, result)
        return self.finish(request, result)

    def struck(self, request: Request, context: RequestContext, frame: memoryview, position: int) -> Fault | None:
        """The fault that the request meets."""
        fault = self.faults.strike(
            request.operation.api.key,
            context.client_id,
            partial(request_entity, request, frame, position),
            context.broker.topics,
        )
        if fault is not None and not self.faults.active:
            self.changed()
        return fault

    # -- answers -----------------------------------------------------------------------------------------------------
    async def finish(self, request: Request, result: Any) -> Any:
        try:
            answer = await result
        except asyncio.CancelledError:
            self.unanswered(request)
            raise
        self.answered(request, answer)
        return answer

    def done(self, request: Request, future: asyncio.Future[Any]) -> None:
        if future.cancelled() or future.exception() is not None:
            self.unanswered(request)
        else:
            self.answered(request, future.result())

    def answered(self, request: Request, answer: Any) -> None:
        """The answer is there; None where none is wanted."""
        errors: Sequence[int] = () if answer is None else errors_in_answer(request.operation, answer)
        size = sum(map(len, cast("list[bytes]", answer))) if type(answer) is list else 0
        self.note(request, size, errors)

    def unanswered(self, request: Request) -> None:
        """The connection is closed, or was closed because of it."""
        if self.log is not None:
            self.log.write(request, perf_counter() - request.started, None)

    def note(self, request: Request, size: int, errors: Sequence[int]) -> None:
        seconds = perf_counter() - request.started
        if self.meter is not None:
            self.meter.count(request.operation, seconds, request.size, size, errors)
        if self.log is not None:
            self.log.write(request, seconds, errors)
