"""The broker is killed (SIGKILL) and started again on the same data: groups go on."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from broker import Broker
from tests.broker.groups.members import GroupMember
from tests.broker.groups.waits import wait_until


@pytest.mark.parametrize("fsync", ["never", "always"])
def test_offsets_and_generation_survive_kill_9(tmp_path: Path, fsync: Literal["never", "always"]) -> None:
    """Committed offsets are there; a live member goes on in its generation without a rebalance."""
    with Broker(data=tmp_path, fsync=fsync) as broker:
        port = int(broker.bootstrap_servers.rsplit(":", 1)[1])
        admin = AdminClient({"bootstrap.servers": broker.bootstrap_servers})
        admin.create_topics([NewTopic("t", 2)])["t"].result(10)
        member = GroupMember(broker.bootstrap_servers, "g", "t")
        wait_until(lambda: member.poll() or member.owned == [0, 1], "the member owns both")
        member.consumer.commit(offsets=[TopicPartition("t", 0, 7, metadata="m")], asynchronous=False)
        moves = list(member.moves)
        broker.kill()
    with Broker(data=tmp_path, port=port, fsync=fsync) as broker:
        wait_until(lambda: member.poll() or committed(member) == (7, "m"), "the offset is back")
        member.consumer.commit(offsets=[TopicPartition("t", 1, 8)], asynchronous=False)
        assert member.moves == moves
        assert member.owned == [0, 1]
        admin = AdminClient({"bootstrap.servers": broker.bootstrap_servers})
        description = admin.describe_consumer_groups(["g"])["g"].result(10)
        assert (description.state.name, len(description.members)) == ("STABLE", 1)
        member.close()


def committed(member: GroupMember) -> tuple[int, str | None]:
    (partition,) = member.consumer.committed([TopicPartition("t", 0)], timeout=5)
    return partition.offset, partition.metadata
