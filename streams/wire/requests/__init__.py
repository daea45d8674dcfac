"""The Kafka requests this package speaks, one API a file."""

from streams.wire.requests.api_versions import ApiVersions, ServedVersions
from streams.wire.requests.find_coordinator import FindCoordinator, FoundCoordinator
from streams.wire.requests.heartbeat import Beaten, Heartbeat
from streams.wire.requests.join_group import Joined, JoinedMember, JoinGroup
from streams.wire.requests.leave_group import LeaveGroup, Left
from streams.wire.requests.offset_commit import OffsetCommit, OffsetToCommit
from streams.wire.requests.offset_fetch import FetchedOffset, FetchedOffsets, OffsetFetch
from streams.wire.requests.sasl import OfferedMechanisms, SaslAuthenticate, SaslHandshake, SaslReply
from streams.wire.requests.sync_group import Synced, SyncGroup

__all__ = [
    "ApiVersions",
    "Beaten",
    "FetchedOffset",
    "FetchedOffsets",
    "FindCoordinator",
    "FoundCoordinator",
    "Heartbeat",
    "JoinGroup",
    "Joined",
    "JoinedMember",
    "LeaveGroup",
    "Left",
    "OfferedMechanisms",
    "OffsetCommit",
    "OffsetFetch",
    "OffsetToCommit",
    "SaslAuthenticate",
    "SaslHandshake",
    "SaslReply",
    "ServedVersions",
    "SyncGroup",
    "Synced",
]
