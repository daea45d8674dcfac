"""What a fault does to a request that meets it.

It is a coroutine, so the connection's next requests wait for its end, as they do behind any slow request.
"""

from __future__ import annotations

import asyncio
from inspect import isawaitable
from typing import TYPE_CHECKING, Any

from broker.faults.error_answer import error_answer
from broker.protocol.api_keys import ApiKey
from broker.protocol.entities import VersionedEntities

if TYPE_CHECKING:
    from broker.faults.fault import Fault
    from broker.server.context import RequestContext
    from broker.watch.watch import Request


async def suffer(request: Request, context: RequestContext, fault: Fault, frame: memoryview, position: int) -> Any:
    """The result in the handler's stead. Never ends where there is to be no answer: the connection's end cancels it."""
    handled, result = False, None
    if fault.delay_ms and not fault.after:
        await asyncio.sleep(fault.delay_ms / 1000)
    if fault.after or fault.action in ("delay", "drop"):
        handled, result = True, await carry_out(request, context, frame, position)
    if fault.delay_ms and fault.after:
        await asyncio.sleep(fault.delay_ms / 1000)
    if fault.action == "delay" or (handled and result is None):  # without an answer there is no more to spoil
        return result
    if fault.action == "error" and not unanswered(request, frame, position):
        return refusal(request, fault, frame, position)
    if fault.action != "drop":
        request.connection.hang_up()
    return await asyncio.get_running_loop().create_future()


async def carry_out(request: Request, context: RequestContext, frame: memoryview, position: int) -> Any:
    handle = request.operation.handle
    result = handle(context, frame, position) if request.entity is None else handle(context, request.entity)
    return await result if isawaitable(result) else result


def unanswered(request: Request, frame: memoryview, position: int) -> bool:
    """Whether the client wants no answer (acks=0): it learns of an error by the end of its connection."""
    return request.operation.api.key == ApiKey.PRODUCE and request_entity(request, frame, position).acks == 0


def refusal(request: Request, fault: Fault, frame: memoryview, position: int) -> Any:
    """The answer with the fault's error, in the form the handler would return."""
    operation = request.operation
    if request.entity is not None:
        return error_answer(operation.api.key, request.entity, fault.code)
    entity = error_answer(operation.api.key, request_entity(request, frame, position), fault.code)
    return [VersionedEntities(operation.api.key, operation.version).encode(entity)]


def request_entity(request: Request, frame: memoryview, position: int) -> Any:
    """The entity, also of a request whose handler reads the bytes itself."""
    if request.entity is not None:
        return request.entity
    operation = request.operation
    return VersionedEntities(operation.api.key, operation.version).read(frame, position)
