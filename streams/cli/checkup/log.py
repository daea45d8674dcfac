"""Whether a broker answers, and whether it speaks what an application needs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from streams.cli.checkup.finding import Finding
from streams.cli.clients import wire_client
from streams.discovery import BrokerLocation
from streams.wire.errors import WireError
from streams.wire.request import Api
from streams.wire.requests.find_coordinator import FindCoordinator
from streams.wire.requests.heartbeat import Heartbeat
from streams.wire.requests.join_group import JoinGroup
from streams.wire.requests.leave_group import LeaveGroup
from streams.wire.requests.offset_commit import OffsetCommit
from streams.wire.requests.offset_fetch import OffsetFetch
from streams.wire.requests.sync_group import SyncGroup

GROUP = tuple(r.api for r in (FindCoordinator, JoinGroup, SyncGroup, Heartbeat, LeaveGroup, OffsetCommit, OffsetFetch))
TRANSACTIONS = (
    Api("InitProducerId", 22, 3, 99),
    Api("AddPartitionsToTxn", 24, 0, 99),
    Api("AddOffsetsToTxn", 25, 0, 99),
    Api("EndTxn", 26, 0, 99),
    Api("TxnOffsetCommit", 28, 3, 99),
)
"""What exactly once needs. Source: KIP-360 and KIP-447, Apache Kafka 2.5."""
PURGE = (Api("DeleteRecords", 21, 0, 99),)


def check_log(location: BrokerLocation) -> Iterator[Finding]:
    where = f"{location.bootstrap_servers} ({location.describe()})"
    try:
        connection = wire_client(location).connect_any()
    except WireError as error:
        yield Finding(
            "failure", "broker", f"nobody to talk to at {where}: {error}", "headrace broker, or --bootstrap-servers"
        )
        return
    versions = connection.versions
    connection.close()
    yield Finding("ok", "broker", f"answers at {where}")
    yield from protocol_gaps(versions)


def protocol_gaps(served: Mapping[int, tuple[int, int]]) -> Iterator[Finding]:
    """What the broker does not speak. `served`: API key -> lowest and highest version."""
    found = False
    for needs, purpose, fatal in (
        (GROUP, "workers cannot form a group", True),
        (TRANSACTIONS, "exactly once is not possible; at_least_once is", True),
        (PURGE, "repartition topics are not purged", False),
    ):
        lacking = [api.name for api in needs if not _speaks(served.get(api.key), api)]
        if lacking:
            found = True
            yield Finding(
                "failure" if fatal else "warning",
                "protocol",
                f"the broker lacks {', '.join(lacking)} in a version that we speak: {purpose}",
                "use Apache Kafka 2.5 or newer, or the bundled broker",
            )
    if not found:
        yield Finding("ok", "protocol", "group, transactions and purging as needed")


def _speaks(theirs: tuple[int, int] | None, ours: Api) -> bool:
    return theirs is not None and theirs[0] <= ours.highest and theirs[1] >= ours.lowest
