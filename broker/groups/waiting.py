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

    def answer(self, ticket: int, result: T) -> None:
        self.settle(self.futures.pop(ticket), result)

    def answer_when(self, ticket: int, durable: asyncio.Future[bool], result: T, otherwise: T) -> None:
        """Answers when `durable` is done: with `result` if it is True, else with `otherwise`."""
        future = self.futures.pop(ticket)
        durable.add_done_callback(lambda done: self.settle(future, result if done.result() else otherwise))

    @staticmethod
    def settle(future: asyncio.Future[T], result: T) -> None:
        if not future.done():
            future.set_result(result)

    def cancel_all(self) -> None:
        for future in self.futures.values():
            future.cancel()
        self.futures.clear()
