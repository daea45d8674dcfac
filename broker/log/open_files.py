"""How many segment files are open at once: thousands of partitions have more segments than a process may open files.

The file that was opened first is closed when there are too many, whether it is in use or not: it is opened again at its
next use, which costs a few microseconds, and nothing has to be noted at each read and write.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from broker.log.segment import Segment

SHARE = 2
"""Half of what the process may open is left to connections and all else."""
WITHOUT_LIMIT = 65_536


class OpenFiles:
    """Owned by the log directory; used in the event loop's thread."""

    def __init__(self, limit: int) -> None:
        """`limit`: files, at least one."""
        self.limit = limit
        self.segments: dict[Segment, None] = {}
        """In the order in which they were opened."""

    def make_room(self) -> None:
        """To be called before one more is opened."""
        while len(self.segments) >= self.limit:
            next(iter(self.segments)).close()

    def opened(self, segment: Segment) -> None:
        self.segments[segment] = None

    def closed(self, segment: Segment) -> None:
        self.segments.pop(segment, None)


def file_limit() -> int:
    """How many segment files this process may have open."""
    try:
        import resource
    except ImportError:
        return WITHOUT_LIMIT
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return WITHOUT_LIMIT if soft == resource.RLIM_INFINITY else max(1, soft // SHARE)
