"""One member's way from what it owns to what it is to own: give up first, then take what nobody else has.

So no partition ever has two owners, whatever is lost or late on the way.

```
           target's epoch is new, and it has to give something up
   STABLE ────────────────────────────────────────────────────────► UNREVOKED  stays at its epoch; is told what it keeps
     ▲ │                                                              │     ▲
     │ └────────── nothing to give up, but others have some ─────┐    │     │ the target has changed meanwhile
     │                                                           ▼    ▼     │
     └────── the others have given it up ──────────────────── UNRELEASED ───┘  at the target's epoch; gets what is free
```

Source: `CurrentAssignmentBuilder` of Apache Kafka.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from broker.consumer_groups.member import MemberState, Progress
from broker.consumer_groups.partitions import NONE, Partitions, TopicIdPartition


def advance(
    progress: Progress,
    target: Partitions,
    target_epoch: int,
    *,
    owned: Partitions | None,
    is_free: Callable[[TopicIdPartition], bool],
) -> Progress:
    """The member's next progress. `owned`: what it says it owns, None if it does not say.

    `is_free` tells whether no other member owns a partition, or has yet to give it up.
    """
    match progress.state:
        case MemberState.STABLE if progress.epoch == target_epoch:
            return progress
        case MemberState.UNREVOKED if still_owns(progress.revoking, owned):
            return progress
        case MemberState.UNREVOKED:
            # It has done what its old target asked for; that counts as an epoch of its own if there is a newer one.
            return towards(progress, progress.epoch + 1, target, target_epoch, owned=owned, is_free=is_free)
        case _:
            return towards(progress, progress.epoch, target, target_epoch, owned=owned, is_free=is_free)


def towards(
    progress: Progress,
    epoch: int,
    target: Partitions,
    target_epoch: int,
    *,
    owned: Partitions | None,
    is_free: Callable[[TopicIdPartition], bool],
) -> Progress:
    keep = progress.assigned & target
    revoke = progress.assigned - keep
    if revoke and still_owns(revoke, owned):
        return moved(progress, epoch, MemberState.UNREVOKED, keep, revoke)
    missing = target - keep
    free = frozenset(partition for partition in missing if is_free(partition))
    state = MemberState.STABLE if free == missing else MemberState.UNRELEASED
    return moved(progress, target_epoch, state, keep | free, NONE)


def moved(progress: Progress, epoch: int, state: MemberState, assigned: Partitions, revoking: Partitions) -> Progress:
    # A member that is given the same epoch again keeps the one before: that is what a lost answer leaves it with.
    previous = progress.previous_epoch if epoch == progress.epoch else progress.epoch
    return replace(progress, epoch=epoch, previous_epoch=previous, state=state, assigned=assigned, revoking=revoking)


def still_owns(partitions: Partitions, owned: Partitions | None) -> bool:
    """A member that does not say what it owns has given nothing up."""
    return owned is None or not partitions.isdisjoint(owned)
