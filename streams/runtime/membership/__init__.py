"""A worker's place in its group: which tasks are its own, and what it has committed.

`Membership` is the seam; `GroupMembership` is a member of a classic Kafka consumer group, `SoloMembership` its twin for
tests. Start reading at `member`: the protocol as a state machine. `assignor` decides who gets which task, `handover`
how it gets there without two owners, `user_data` is what members tell each other.
"""

import streams.wire.lone_kio  # noqa: F401  # pyright: ignore[reportUnusedImport]  # before others import kio
from streams.runtime.membership.committed_offset import CommittedOffset
from streams.runtime.membership.errors import CommitFailedError, InstanceFencedError, MembershipError, UserDataError
from streams.runtime.membership.events import Assigned, Failed, Lost, MembershipEvent, Revoked
from streams.runtime.membership.group_membership import GroupMembership
from streams.runtime.membership.member_view import MemberView
from streams.runtime.membership.membership import Membership
from streams.runtime.membership.options import MemberOptions
from streams.runtime.membership.rules import AssignmentRules
from streams.runtime.membership.solo import SoloMembership
from streams.runtime.membership.universe import TaskUniverse

__all__ = [
    "Assigned",
    "AssignmentRules",
    "CommitFailedError",
    "CommittedOffset",
    "Failed",
    "GroupMembership",
    "InstanceFencedError",
    "Lost",
    "MemberOptions",
    "MemberView",
    "Membership",
    "MembershipError",
    "MembershipEvent",
    "Revoked",
    "SoloMembership",
    "TaskUniverse",
    "UserDataError",
]
