"""What to tell people when a coordinator refuses a member for good."""

from __future__ import annotations

from kio.schema.errors import ErrorCode

from streams.runtime.membership.errors import MembershipError
from streams.runtime.membership.options import MemberOptions
from streams.wire.errors import code_name


def refusal(code: ErrorCode, options: MemberOptions) -> MembershipError:
    """The error for a code that no retry will cure."""
    match code:
        case ErrorCode.inconsistent_group_protocol:
            cure = "plain consumers use this group id; stop them, or choose another application id"
        case ErrorCode.invalid_session_timeout:
            cure = (
                f"session_timeout_ms={options.session_timeout_ms} is outside the broker's limits "
                "(group.min.session.timeout.ms, group.max.session.timeout.ms); change either"
            )
        case ErrorCode.group_authorization_failed:
            cure = "this user may not READ the group; ask for the ACL"
        case ErrorCode.group_max_size_reached:
            cure = "the group is full (group.max.size); start fewer workers or raise it"
        case ErrorCode.invalid_group_id:
            cure = "choose another application id"
        case _:
            cure = "see Kafka's documentation of this error"
    return MembershipError(f"group {options.group_id!r} refuses this member: {code_name(code)}; {cure}")
