"""Replica lists that clients assign by hand: on one node there is one that makes sense.

Source: `ReplicationControlManager.validateManualPartitionAssignment` of Apache Kafka.
"""

from __future__ import annotations

from collections.abc import Sequence

from kio.schema.errors import ErrorCode

from broker.topics.errors import TopicError


def check_replicas(replicas: Sequence[int], node_id: int) -> None:
    """Raises TopicError, INVALID_REPLICA_ASSIGNMENT, for a list that is empty, repeats itself or names other nodes."""
    problem = None
    if not replicas:
        problem = "The manual partition assignment includes an empty replica list."
    for place, replica in enumerate(replicas):
        if replica in replicas[:place]:
            problem = f"The manual partition assignment includes the broker {replica} more than once."
        elif replica != node_id:
            problem = f"The manual partition assignment includes broker {replica}, but no such broker is registered."
        if problem is not None:
            break
    if problem is not None:
        raise TopicError(ErrorCode.invalid_replica_assignment, problem)
