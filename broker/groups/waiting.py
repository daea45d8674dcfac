"""Requests that wait for an effect to answer them."""

from __future__ import annotations

import asyncio
from typing import Generic, TypeVar

T = TypeVar("T")


class WaitingRequests(Generic[T]):
    """Ticket → future. Whoever waits may be cancelled at any time (its connection is gone): its answer is dropped."""

    def __init__(self) -> None:
        self.futures: dict[int, asyncio.Future[T]] = {}
        self.next_ticket = 0

    def open(self) -> tuple[int, asyncio.Future[T]]:
        self.next_ticket += 1
        future = self.futures[self.next_ticket] = asyncio.get_running_loop().create_future()
        return self.next_ticket, future

    def answer(self, ticket: int, result: T, durable: asyncio.Future[None] | None) -> None:
        """Answers at once, or when `durable` is done; an error there becomes the error of the waiting request."""
        future = self.futures.pop(ticket)
        if durable is None:
            settle(future, result, None)
        else:
            durable.add_done_callback(lambda done: settle(future, result, done.exception()))

    def cancel_all(self) -> None:
        for future in self.futures.values():
            future.cancel()
        self.futures.clear()


def settle(future: asyncio.Future[T], result: T, error: BaseException | None) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(result)
    else:
        future.set_exception(error)
