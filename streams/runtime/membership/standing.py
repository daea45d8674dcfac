"""Who this process is in its group just now, as several threads see it."""

from __future__ import annotations

import threading

from streams.runtime.membership.identity import Identity


class Standing:
    """Written by the member's thread, read by the worker's."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._identity = Identity()

    @property
    def identity(self) -> Identity:
        return self._identity

    def change(self, identity: Identity) -> None:
        if identity != self._identity:
            with self._changed:
                self._identity = identity
                self._changed.notify_all()

    def wait_for_another(self, than: Identity, timeout_s: float) -> None:
        """Until the identity is another `than`, or `timeout_s` has passed."""
        with self._changed:
            self._changed.wait_for(lambda: self._identity != than, max(0.0, timeout_s))
