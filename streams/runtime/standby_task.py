"""A task that stands by: its stores are fed from their changelogs, so that it can run here at once if it has to.

It becomes active without closing its stores: the `Task` takes over its state. An active task that is to stand by leaves
its state to it likewise.
"""

from __future__ import annotations

from streams.runtime.replica import Replica


class StandbyTask(Replica):
    """Owned by the stream thread."""

    def __repr__(self) -> str:
        return f"StandbyTask({self.id})"

    def keep_metadata(self) -> None:
        """Writes what was read of the metadata topic, which until now was only remembered; the rows of its stores are
        written as they come."""
        changed = {name: row for name, row in self.remembered.items() if self.state.metadata.get(name) != row}
        if changed:
            self.state.commit({}, changed)
