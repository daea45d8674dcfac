"""Members' sessions: deadlines that heartbeats push without touching the timer heap.

A member's SESSION timer is set when it joins and stays set until it goes. When it fires early, because the deadline
has moved meanwhile, it is set again; so a heartbeat costs one assignment.
"""

from __future__ import annotations

from broker.groups.effects import Effect, Schedule
from broker.groups.member import Member
from broker.groups.timer import Timer, TimerKind


def touch(member: Member, now_ms: int) -> None:
    """The member was heard: its session starts anew."""
    member.session_deadline_ms = now_ms + member.session_timeout_ms


def start(member: Member, now_ms: int) -> Effect:
    """Starts the session and sets its timer: for a member that is new, renamed or may have another timeout now."""
    touch(member, now_ms)
    return Schedule(session_timer(member), member.session_deadline_ms)


def session_timer(member: Member) -> Timer:
    return Timer(TimerKind.SESSION, member.member_id)
