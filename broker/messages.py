"""What a broker that people started says to them: at its start what it promises and what it does not, at its end what
it did.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from broker.topics.names import INTERNAL

if TYPE_CHECKING:
    from broker.log.partition import PartitionLog
    from broker.server.listener import Endpoint
    from broker.serving import Running

LOOPBACK = ("127.", "::1", "localhost")
"""A listener beyond it that asks for no passwords is warned of in the log (`broker.server.accepting`)."""
DURABILITY = {
    "always": "fsync=always: what was acknowledged survives the loss of power",
    "never": "fsync=never: what was acknowledged survives the death of the process, not the loss of power",
}


def started(running: Running) -> Iterator[str]:
    """Line by line, once the broker is ready."""
    state, options = running.server.state, running.options
    first, *others = running.endpoints
    yield f"broker at {first.address}{by(first)}, ready in {running.ready_after_s:.2f} s"
    for endpoint in others:
        yield f"and at {endpoint.address}{by(endpoint)}"
    logs = list(users_logs(running))
    topics = counted(len({log.topic for log in logs}), "topic")
    held = f"{topics}, {counted(len(logs), 'partition')}, {size(sum(log.size for log in logs))}"
    where = "a temporary directory, removed at the end" if options.data is None else str(options.data)
    yield f"log in {where}: {held}" + ("" if state.data.clean or not logs else "; recovered after an unclean end")
    yield DURABILITY[options.fsync]
    listeners = running.server.listeners
    if all(each.endpoint.protocol == "PLAINTEXT" and each.address[0].startswith(LOOPBACK) for each in listeners):
        yield "no passwords and no encryption: for programs on this machine"
    if running.schema_registry_url is not None:
        yield f"schema registry at {running.schema_registry_url}"
    if running.metrics_url is not None:
        yield f"metrics at {running.metrics_url}"
    if options.faults:
        yield f"faults on purpose: {' '.join(options.faults)}"


def by(endpoint: Endpoint) -> str:
    """How clients of a listener have to speak, where that is not plain text."""
    return "" if endpoint.protocol == "PLAINTEXT" else f" ({endpoint.protocol})"


def stopped(running: Running) -> str:
    """Once it has ended."""
    after = f"after {running.served_s:.0f} s, {size(running.bytes_written)} written"
    if running.server.closed_cleanly:
        return f"stopped cleanly {after}"
    return f"stopped {after}, but not cleanly: the next start scans the logs"


def users_logs(running: Running) -> Iterator[PartitionLog]:
    """Of the topics that are not the broker's own."""
    return (log for log in running.server.state.logs if log.topic not in INTERNAL)


def counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def size(count: float) -> str:
    """Bytes in the unit that suits."""
    if count < 1000:
        return f"{count:.0f} bytes"
    for unit in ("KB", "MB"):
        count /= 1000
        if count < 1000:
            return f"{count:.1f} {unit}"
    return f"{count / 1000:.1f} GB"
