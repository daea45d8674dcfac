"""An answer that its handler holds back although it could be given."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any


class HeldAnswer(asyncio.Future[Any]):
    """What a handler returns that waits for news. `release` has it answer without: the connection calls it when its
    client sends more."""

    def __init__(self, loop: asyncio.AbstractEventLoop, release: Callable[[], None]) -> None:
        super().__init__(loop=loop)
        self.release = release

    def settle(self, result: Any) -> None:
        """The answer, unless nobody waits for it any more."""
        if not self.done():
            self.set_result(result)
