"""The figures of all workers, once a second, for as long as somebody watches.

Whoever watches first starts the ticking, and it ends with the last one: a worker that nobody looks at computes nothing.
However many watch, the workers are asked once.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator
from contextlib import suppress
from typing import Any

import msgspec

from streams.dashboard.frame import Frame, WorkerFrame
from streams.dashboard.snapshot import snapshot
from streams.query.peers import Peers
from streams.query.placement import Placement
from streams.query.problem import Problem
from streams.query.subject import Subject
from streams.runtime.membership import MemberView

log = logging.getLogger(__name__)

INTERVAL_S = 1.0
PEER_TIMEOUT_S = 0.8
FIGURES = "/peers/figures"
"""Where workers ask each other for their figures."""

encode = msgspec.json.Encoder().encode


class Live:
    """Owned by the query server's loop."""

    def __init__(self, subject: Subject, placement: Placement, peers: Peers, interval_s: float = INTERVAL_S) -> None:
        self._subject = subject
        self._placement = placement
        self._peers = peers
        self._interval_s = interval_s
        self._watchers = 0
        self._ticking: asyncio.Task[None] | None = None
        self._turn = asyncio.Event()
        """Set when the next frame is there; each has its own."""
        self._frame: Frame | None = None
        self._before: Frame | None = None
        self._change = b""
        """What differs between the two."""
        self._closed = False

    @property
    def is_ticking(self) -> bool:
        return self._ticking is not None

    async def watch(self) -> AsyncGenerator[bytes]:
        """Server-sent events: `whole` first, then `change` every second, until the server stops. A watcher that was
        slower than that gets another `whole`."""
        self._watchers += 1
        try:
            if self._ticking is None or self._ticking.done():
                self._frame = await self._look()
            if self._ticking is None or self._ticking.done():  # who came at the same time may have started it
                self._ticking = asyncio.ensure_future(self._tick())
            assert self._frame is not None, "the frames last as long as somebody watches"
            seen, ticking = self._frame, self._ticking
            yield seen.whole(self._about())
            while not self._closed:
                if self._frame is seen:
                    await self._turn.wait()
                if self._closed or ticking.done():
                    return
                event = self._change if self._before is seen else self._frame.whole(self._about())
                seen = self._frame
                yield event
        finally:
            self._watchers -= 1
            if self._watchers == 0:
                if self._ticking is not None:
                    self._ticking.cancel()
                self._ticking = self._frame = self._before = None

    def close(self) -> None:
        """Ends all streams; the browsers look for the worker again."""
        self._closed = True
        self._turn.set()

    def _about(self) -> dict[str, Any]:
        options = self._subject.options
        return {
            "application": options.application_id,
            "guarantee": options.processing_guarantee,
            "commit_interval_ms": options.commit_interval_ms,
            "bootstrap_servers": options.bootstrap_servers,
            "served_by": self._subject.endpoint,
            "dead_letter_topic": options.dead_letter_topic,
        }

    async def _tick(self) -> None:
        """Ends with all streams if something fails that should not: whoever still watches begins anew."""
        try:
            await self._tick_on()
        except Exception:
            log.exception("dashboard_failed: the streams of live figures end, and begin anew when they are asked for")
            asyncio.get_running_loop().call_soon(self._turn_over)

    async def _tick_on(self) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time() + self._interval_s
        while True:
            await asyncio.sleep(max(0.0, due - loop.time()))
            due = max(due + self._interval_s, loop.time())
            frame = await self._look()
            assert self._frame is not None, "the ticking ends with the frames"
            self._change = frame.since(self._frame)
            self._before, self._frame = self._frame, frame
            self._turn_over()

    def _turn_over(self) -> None:
        """Wakes whoever waits for the turn's end."""
        over, self._turn = self._turn, asyncio.Event()
        over.set()

    async def _look(self) -> Frame:
        """Asks everybody at once; who does not answer is told of as such."""
        mine = self._subject.endpoint
        others = [view for view in self._subject.members() if view.endpoint is None or view.endpoint != mine]
        told = await asyncio.gather(*(self._ask(view) for view in others))
        here = WorkerFrame.of(encode(snapshot(self._subject)))
        workers = {mine or "here": here}
        workers |= {view.endpoint or view.member_id: frame for view, frame in zip(others, told)}
        return Frame(round(time.time() * 1000), workers)

    async def _ask(self, view: MemberView) -> WorkerFrame:
        if view.endpoint is None:
            return silent(view, "it serves no queries: give it a query_port")
        if not self._placement.is_reachable(view):
            return silent(
                view, "it serves queries on its own loopback only: give it a query_host that others can reach"
            )
        request = self._peers.at(view.endpoint).request("GET", FIGURES, timeout_s=PEER_TIMEOUT_S)
        why = "no answer in time"
        with suppress(TimeoutError):
            try:
                answer = await asyncio.wait_for(request, PEER_TIMEOUT_S)
                if answer.status == 200:
                    return WorkerFrame.of(answer.body)
                why = f"it answers with status {answer.status}: do all workers run the same version of headrace?"
            except Problem as problem:
                why = f"nobody answers there ({problem.__cause__ or problem})"
            except msgspec.DecodeError:
                why = "it answers something else: do all workers run the same version of headrace?"
        return silent(view, why)


def silent(view: MemberView, why: str) -> WorkerFrame:
    """A worker of which only its group knows."""
    told = {
        "name": view.instance_id or view.member_id,
        "endpoint": view.endpoint,
        "host": view.host,
        "state": "unreachable",
        "problem": why,
        "assigned": [str(task) for task in sorted(view.tasks)],
    }
    return WorkerFrame({name: msgspec.Raw(encode(value)) for name, value in told.items()}, {})
