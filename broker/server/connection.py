"""One client connection: bytes → frames → handlers → answers in request order.

Frames are handled where the socket put them, without a copy. A handler that answers at once is one call; one that
answers later returns a future (further requests of the connection go on meanwhile, their answers wait in line) or a
coroutine (the connection's next request waits until it is done, as in Kafka).

A client that does not read is not read from: above the write buffer's limit nothing more is handled.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections import deque
from collections.abc import Awaitable, Sequence
from functools import partial
from struct import Struct
from typing import TYPE_CHECKING, Any, cast

from broker.handlers.api_versions import refuse_version
from broker.handlers.table import Operation
from broker.protocol.api_keys import ApiKey
from broker.protocol.batches import Buffer
from broker.protocol.errors import MalformedRequestError, UnanswerableError
from broker.security.principal import ANONYMOUS, NoPrincipalError
from broker.server.answer import Answer
from broker.server.context import RequestContext
from broker.server.frame import read_entity, skip_header_tags, strange_beginning
from broker.server.held_answer import HeldAnswer

if TYPE_CHECKING:
    from broker.security.authentication import Authentication
    from broker.server.accepting import Accepting
    from broker.server.server import Server

LOG = logging.getLogger("broker.server")

BUFFER_SIZE = 65_536
KEPT_BUFFER_SIZE = 4_194_304
"""A larger frame gets a buffer of its own, which is dropped after it; it grows as the frame arrives, and counts."""
FRAMES_PER_TURN = 256
"""After that many requests at once other connections have their turn."""
WRITE_LIMIT = 1_048_576
COALESCED_SIZE = 32_768
"""Answers up to this size are written as one piece."""
MAX_PIPELINED = 16

frame_header = Struct(">ihhih")  # size, API key, version, correlation id, length of client id
size_struct = Struct(">i")
answer_header = Struct(">ii")
SMALLEST_REQUEST = 10


class Connection(asyncio.BufferedProtocol):
    """Made by the server for each accepted socket."""

    def __init__(self, server: Server, accepting: Accepting) -> None:
        self.server = server
        self.state = server.state
        self.accepting = accepting
        self.endpoint = accepting.endpoint
        self.table = server.table
        self.operations = server.table.operations
        self.smallest_request = SMALLEST_REQUEST
        self.max_request_bytes = server.state.options.max_request_bytes
        self.transport: asyncio.Transport = cast(asyncio.Transport, None)
        self.peer = ("unknown", 0)
        self.client_host = ""
        self.principal = ANONYMOUS
        self.software = ""
        """"name/version" of the client, once it has told them while requests were watched."""
        self.authentication: Authentication | None = None
        """How it authenticates, where the listener asks for it."""
        self.buffer = bytearray(BUFFER_SIZE)
        self.view = memoryview(self.buffer)
        self.start = 0
        """Where the first unhandled frame begins."""
        self.end = 0
        """Up to where the buffer is filled."""
        self.answers: deque[Answer] = deque()
        """What is not written yet, in request order."""
        self.work: dict[Answer, asyncio.Future[Any]] = {}
        self.exclusive: Answer | None = None
        """The coroutine handler that the next request waits for."""
        self.held: HeldAnswer | None = None  # the next request releases it
        self.handling = False
        """Within `handle_frames`, which must not be entered twice."""
        self.reading = True
        self.writable = True
        self.closed = False
        self.handled: int = 0
        """Requests so far; with what follows, of use to `ConnectionLimits`."""
        self.swept = 0
        self.active = server.loop.time()
        self.begun: float | None = None
        """When a request was seen that has not come whole since."""
        self.reserved = 0
        """Bytes of its buffer, if that is a large one."""
        self.unsent = 0

    @property
    def address(self) -> str:
        """ "host:port" of the client."""
        host, port = self.peer
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    # -- transport ---------------------------------------------------------------------------------------------------
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.transport.set_write_buffer_limits(high=WRITE_LIMIT)
        if (peer := transport.get_extra_info("peername")) is not None:
            self.peer = peer[:2]
        self.client_host = f"/{self.peer[0]}"
        self.server.connections.add(self)
        problem = self.server.limits.admit(self.client_host)
        if problem is not None:
            self.close(problem)
        if self.accepting.mapping is not None:
            try:
                self.principal = self.accepting.identify(transport)
            except (NoPrincipalError, ValueError) as error:
                self.close(f"cannot be named: {error}")

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed = True
        self.server.connections.discard(self)
        self.server.limits.forget(self)
        self.state.unsent -= self.unsent
        self.unsent = 0
        for future in list(self.work.values()):
            future.cancel()
        self.work.clear()
        self.answers.clear()
        # uvloop's TLS transport and this know each other: what was not sent would stay until garbage is collected.
        self.transport = cast(asyncio.Transport, None)

    def get_buffer(self, sizehint: int) -> memoryview:
        return self.view[self.end :]

    def buffer_updated(self, nbytes: int) -> None:
        self.end += nbytes
        self.handle_frames()

    def pause_writing(self) -> None:
        self.writable = False
        self.count_unsent()

    def resume_writing(self) -> None:
        self.writable = True
        self.count_unsent()
        self.handle_frames()

    def count_unsent(self) -> None:
        """Tells the broker how much waits here for a slow reader."""
        unsent = 0 if self.writable or self.closed else self.transport.get_write_buffer_size()
        self.state.unsent += unsent - self.unsent
        self.unsent = unsent

    # -- frames ------------------------------------------------------------------------------------------------------
    def handle_frames(self) -> None:
        """Handles what is there and may be handled, then makes room, or stops reading while there is none."""
        if self.handling or self.closed:
            return  # a write under way told that it may go on; the loop below sees that itself
        self.handling = True
        try:
            self.handle_whole_frames()
        finally:
            self.handling = False
        if not self.closed:
            self.adjust_buffer()

    @property
    def awaits_bytes(self) -> bool:
        """Whether it has a part of a request, and nothing but its client keeps it from having the rest."""
        return self.start < self.end and self.reading and self.writable and self.exclusive is None and not self.answers

    def handle_whole_frames(self) -> None:
        start, end = self.start, self.end
        turn_ends = self.handled + FRAMES_PER_TURN
        while self.exclusive is None and self.writable and not self.closed and len(self.answers) < MAX_PIPELINED:
            if end - start < 4:
                break
            size: int = size_struct.unpack_from(self.buffer, start)[0]
            if not self.smallest_request <= size <= self.max_request_bytes:
                self.close(strange_beginning(self.view[start:end], self.accepting.listener.title))
                return
            stop = start + 4 + size
            if stop > end:
                break
            if self.handled == turn_ends:
                self.server.loop.call_soon(self.handle_frames)
                break
            self.handled += 1
            self.start = stop
            self.handle_frame(self.view[start:stop])
            start = stop

    def adjust_buffer(self) -> None:
        """Makes room for what comes next; reads exactly while there is room."""
        start, end = self.start, self.end
        if start == end:
            self.start = self.end = 0
            if len(self.buffer) > KEPT_BUFFER_SIZE:
                self.shrink_buffer()
        elif start or end == len(self.buffer):
            self.make_room()
        has_room = self.end < len(self.buffer)
        if has_room != self.reading:
            self.reading = has_room
            if has_room:
                self.transport.resume_reading()
            else:
                self.transport.pause_reading()

    def make_room(self) -> None:
        """Moves the rest to the front of a buffer that can take its frame whole."""
        start, end = self.start, self.end
        needed = BUFFER_SIZE
        if end - start >= 4:
            needed = size_struct.unpack_from(self.buffer, start)[0] + 4
            if needed > self.max_request_bytes + 4:
                needed = BUFFER_SIZE  # it will be refused when its turn comes
        capacity = len(self.buffer)
        if needed > capacity:
            if needed <= KEPT_BUFFER_SIZE:
                while capacity < needed:
                    capacity *= 2
            else:
                # Whoever announces a hundred megabytes gets them when they come.
                capacity = min(needed, max(KEPT_BUFFER_SIZE, 4 * (end - start)))
                if capacity > KEPT_BUFFER_SIZE and not self.server.limits.reserve(self, capacity):
                    return
            if capacity > len(self.buffer):
                self.replace_buffer(capacity)
        elif start and (end == len(self.buffer) or start + needed > capacity):
            self.buffer[: end - start] = self.buffer[start:end]
            self.start, self.end = 0, end - start

    def shrink_buffer(self) -> None:
        """Of an idle connection: its buffer is empty."""
        if len(self.buffer) > BUFFER_SIZE and self.start == self.end and not self.closed:
            self.start = self.end = 0
            self.replace_buffer(BUFFER_SIZE)
            reserved, self.reserved = self.reserved, 0
            self.server.limits.release(reserved)

    def replace_buffer(self, capacity: int) -> None:
        """Goes on with a new buffer of that size and what is unhandled."""
        rest = self.view[self.start : self.end]
        buffer = bytearray(capacity)
        buffer[: len(rest)] = rest
        self.buffer, self.view = buffer, memoryview(buffer)
        self.start, self.end = 0, len(rest)

    def handle_frame(self, frame: memoryview) -> None:
        """Reads the request header, calls the handler, and answers or makes a place for the answer."""
        if self.held is not None:
            self.held.release()
            self.held = None
        _, key, version, correlation_id, id_length = frame_header.unpack_from(frame)
        operation = self.operations.get(key << 16 | version)
        if operation is None:
            operation = self.table.operation(key, version)
            if operation is None:
                self.handle_unknown(key, version, correlation_id)
                return
        try:
            position = 14
            client_id = None
            if id_length >= 0:
                position += id_length
                client_id = str(frame[14:position], "utf-8")
            if operation.flexible_request:
                position = position + 1 if not frame[position] else skip_header_tags(frame, position)
            context = RequestContext(
                self.state, version, client_id, self.client_host, self.principal, self.endpoint, self.authentication
            )
            if (watch := self.server.watching) is not None:
                result = watch.handle(self, operation, context, frame, position, read_entity)
                if result is None:
                    return
            elif operation.entities is None:
                result = operation.handle(context, frame, position)
                if result is None:
                    return
            else:
                result = operation.handle(context, read_entity(operation, frame, position))
        except UnanswerableError as error:
            self.close(str(error))
            return
        except (MalformedRequestError, IndexError, UnicodeDecodeError) as error:
            self.close(f"sent a malformed {operation.api.key.name} request, version {version}: {error!r}")
            return
        except Exception as error:
            self.failed(operation, error)
            return
        if type(result) is list:
            if not self.answers:
                self.write(correlation_id, operation, cast(list[Buffer], result))
                return
            answer = Answer(correlation_id, operation)
            answer.parts = cast(list[Buffer], result)
            self.answers.append(answer)
        elif inspect.isawaitable(result):
            self.answer_later(Answer(correlation_id, operation), result)
        else:
            answer = Answer(correlation_id, operation)
            self.answers.append(answer)
            self.take_result(answer, result)

    def handle_unknown(self, key: int, version: int, correlation_id: int) -> None:
        """ApiVersions in a version to come is answered in the form of version 0 (KIP-511); all else is hung up on."""
        if key != ApiKey.API_VERSIONS:
            self.close(f"asked for API {key} version {version}, which is not served")
            return
        operation = self.server.table.operation(key, 0)
        assert operation is not None
        answer = Answer(correlation_id, operation)
        self.answers.append(answer)
        self.take_result(answer, refuse_version())

    # -- answers -----------------------------------------------------------------------------------------------------
    def answer_later(self, answer: Answer, result: Awaitable[Any]) -> None:
        self.answers.append(answer)
        if asyncio.isfuture(result):
            future = result
            if isinstance(result, HeldAnswer):
                self.held = result
        else:
            self.exclusive = answer
            future = self.server.loop.create_task(cast(Any, result))
        self.work[answer] = future
        future.add_done_callback(partial(self.finished, answer))

    def finished(self, answer: Answer, future: asyncio.Future[Any]) -> None:
        """A handler's future is done; the connection may be gone by now."""
        self.work.pop(answer, None)
        if future.cancelled():
            self.hang_up()  # the broker is shutting down, if it was not the client who has gone
            return
        error = future.exception()
        if error is not None:
            self.failed(answer.operation, error)
            return
        if self.closed:
            return
        if answer is self.exclusive:
            self.exclusive = None
        self.take_result(answer, future.result())
        self.handle_frames()

    def take_result(self, answer: Answer, result: Any) -> None:
        """Puts a result into its place and writes what is first in line."""
        entities = answer.operation.entities
        answers = self.answers
        if result is None:
            answers.remove(answer)  # Produce with acks=0, which had to wait
        elif entities is None or type(result) is list:
            answer.parts = result
        else:
            try:
                answer.parts = [entities.encode(result)]
            except Exception as error:
                self.failed(answer.operation, error)
                return
        while answers and (parts := answers[0].parts) is not None:
            first = answers.popleft()
            self.write(first.correlation_id, first.operation, parts)

    def write(self, correlation_id: int, operation: Operation, parts: Sequence[Buffer]) -> None:
        size = 4 + sum(map(len, parts))
        if operation.flexible_response:
            head = answer_header.pack(size + 1, correlation_id) + b"\0"
        else:
            head = answer_header.pack(size, correlation_id)
        if size <= COALESCED_SIZE:
            self.transport.write(b"".join((head, *parts)))
        else:
            self.transport.writelines((head, *parts))
        if not self.writable:
            self.count_unsent()

    def failed(self, operation: Operation, error: BaseException) -> None:
        """A handler raised what nobody foresaw, or its answer cannot be written."""
        name, version = operation.api.key.name, operation.version
        LOG.error("%s version %d from %s failed", name, version, self.client_host, exc_info=error)
        self.hang_up()

    def close(self, reason: str) -> None:
        """Hangs up, and says in the broker's log why: the client cannot be told."""
        if self.server.limits.worth_a_line():
            LOG.warning("closing the connection of %s: it %s", self.client_host, reason)
        self.hang_up()

    def hang_up(self) -> None:
        """Nothing that was received is handled any more, nothing that waits is answered."""
        if not self.closed:
            self.closed = True
            self.transport.abort()
