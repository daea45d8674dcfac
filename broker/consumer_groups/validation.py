"""Which heartbeats are refused for what they are, whatever the group is.

Source: `throwIfConsumerGroupHeartbeatRequestIsInvalid` of Kafka's `GroupMetadataManager`.
"""

from __future__ import annotations

from kio.schema.errors import ErrorCode

from broker.consumer_groups.member import AWAY, JOINING, LEAVING
from broker.consumer_groups.pattern_syntax import PatternError
from broker.consumer_groups.requests import GroupRefusedError, HeartbeatRequest
from broker.consumer_groups.settings import ASSIGNORS
from broker.consumer_groups.topic_pattern import compile_pattern

OWN_ID_FROM = 1
"""The version from which clients choose their member ids themselves."""


def validate(request: HeartbeatRequest) -> None:
    """Raises GroupRefusedError: INVALID_REQUEST, UNSUPPORTED_ASSIGNOR, INVALID_REGULAR_EXPRESSION."""
    needs_id = request.version >= OWN_ID_FROM or request.member_epoch > 0 or request.member_epoch == LEAVING
    refuse_if(needs_id and is_blank(request.member_id), "MemberId can't be empty.")
    refuse_if(is_blank(request.group_id), "GroupId can't be empty.")
    refuse_if(is_blank(request.instance_id), "InstanceId can't be empty.")
    refuse_if(is_blank(request.rack_id), "RackId can't be empty.")
    refuse_if(request.member_epoch < AWAY, f"MemberEpoch is {request.member_epoch}, but must be at least {AWAY}.")
    refuse_if(request.member_epoch == AWAY and request.instance_id is None, "InstanceId can't be null.")
    if request.member_epoch == JOINING:
        refuse_if(request.rebalance_timeout_ms == -1, "RebalanceTimeoutMs must be provided in first request.")
        refuse_if(request.owned is None or bool(request.owned), "TopicPartitions must be empty when (re-)joining.")
        refuse_if(
            request.topics is None and request.regex is None,
            "Either SubscribedTopicNames or SubscribedTopicRegex must be non-null when (re-)joining.",
        )
    if request.assignor is not None and request.assignor not in ASSIGNORS:
        raise GroupRefusedError(
            ErrorCode.unsupported_assignor,
            f"ServerAssignor {request.assignor} is not supported. Supported assignors: {', '.join(ASSIGNORS)}.",
        )
    if request.regex:
        try:
            compile_pattern(request.regex)
        except PatternError as error:
            raise GroupRefusedError(
                ErrorCode.invalid_regular_expression,
                f"SubscribedTopicRegex `{request.regex}` is not a valid regular expression: {error}.",
            ) from error


def is_blank(text: str | None) -> bool:
    """It is there, and there is nothing in it but spaces."""
    return text is not None and not text.strip()


def refuse_if(condition: bool, message: str) -> None:
    if condition:
        raise GroupRefusedError(ErrorCode.invalid_request, message)
