"""What can go wrong with a worker's place in its group."""

from __future__ import annotations

from streams.errors import StreamsError


class MembershipError(StreamsError):
    """The group refuses this member for good, or the member cannot do its part."""


class InstanceFencedError(MembershipError):
    """Another process has taken this member's place, by the same instance id."""

    def __init__(self, instance_id: str | None) -> None:
        super().__init__(
            f"another process has joined the group as instance {instance_id!r}, so this one must stop; if both are "
            "meant to run, give each its own instance id (or state directory)"
        )
        self.instance_id = instance_id


class UserDataError(MembershipError):
    """Another member's part of the group protocol cannot be read."""


class CommitFailedError(StreamsError):
    """Offsets were not committed.

    `fenced`: the tasks belong to others now; drop the work. `retriable`: the same call may succeed later.
    """

    def __init__(self, message: str, *, retriable: bool = False, fenced: bool = False) -> None:
        super().__init__(message)
        self.retriable = retriable
        self.fenced = fenced
