"""The producers' state and the aborted transactions when a log is opened: from the newest snapshot on, from batches.

Reading begins at the newest sound snapshot, or at an older one (or at the log's start) if the `.txnindex` file of an
earlier segment is missing or damaged: its markers have to be met again.
"""

from __future__ import annotations

import logging
from itertools import pairwise
from pathlib import Path

from broker.log.aborted import AbortedTransaction, AbortedTransactions, last_offset
from broker.log.index import IndexFileError
from broker.log.producer_snapshot import SnapshotError, decode_snapshot
from broker.log.producers import SEQUENCE_MASK, ProducerStates
from broker.log.salvage import headers_around_damage
from broker.log.segment import Segment
from broker.protocol.batches import (
    CONTROL,
    LENGTH_OVERHEAD,
    NO_PRODUCER,
    TRANSACTIONAL,
    BatchHeader,
    CorruptBatchError,
)
from broker.protocol.control import is_commit

LOG = logging.getLogger("broker.log")


def recover_producers(
    directory: Path,
    segments: list[Segment],
    end_offset: int,
    aborted: AbortedTransactions,
    *,
    complete_to: int,
    now: int,
) -> ProducerStates:
    """The producers' state at the log's end; fills `aborted`. Files tell the aborted transactions below `complete_to`,
    an offset in the last segment; what follows is read."""
    missing: dict[Segment, int] = {segments[-1]: complete_to}
    for segment in segments:
        try:
            aborted.load(segment.aborted_path)
        except IndexFileError:
            missing[segment] = segment.base_offset
    aborted.forget_from(complete_to)
    indexed_to = min(missing.values())
    states, start = load_snapshot(directory, segments[0].base_offset, at_most=indexed_to)
    for number, segment in enumerate(segments):
        following = segments[number + 1].base_offset if number + 1 < len(segments) else end_offset
        if following > start:
            replay(segment, start, states, aborted, missing.get(segment, following), now)
    aborted.entries.sort(key=last_offset)
    for segment, following in pairwise(segments):
        if segment in missing:
            aborted.write(segment.aborted_path, segment.base_offset, following.base_offset)
    return states


def load_snapshot(directory: Path, log_start: int, *, at_most: int) -> tuple[ProducerStates, int]:
    """The newest sound snapshot of an offset not above `at_most`, and that offset; else nothing, at the log's start."""
    for path in sorted(directory.glob("*.snapshot"), reverse=True):
        if int(path.stem) > at_most:
            continue
        try:
            return decode_snapshot(path.read_bytes()), int(path.stem)
        except SnapshotError as error:
            LOG.warning("%s: %s; ignored", path, error)
    return ProducerStates(), log_start


def replay(
    segment: Segment, start: int, states: ProducerStates, aborted: AbortedTransactions, unknown_from: int, now: int
) -> None:
    """Notes what a segment's batches from an offset on tell; `aborted` knows of the markers before `unknown_from`."""

    def report(error: CorruptBatchError) -> None:
        LOG.error("%s; what producers wrote there is not known", error)

    first = segment.offset_index.position_at_or_before(max(start - segment.base_offset, 0))
    for position, header in headers_around_damage(segment, first, report):
        if header.base_offset + header.last_offset_delta < start:
            continue
        producer_id, epoch = header.producer_id, header.producer_epoch
        if producer_id == NO_PRODUCER:
            continue
        if header.attributes & CONTROL:
            ended = states.end(producer_id, epoch, now)
            committed = is_committed(segment, position, header)
            marker = header.base_offset
            if ended is not None and not committed and marker >= unknown_from:
                following = states.first_unstable(marker + 1)
                aborted.add(AbortedTransaction(producer_id, ended.first_offset, marker, following))
            continue
        if header.base_sequence >= 0:
            last_sequence = (header.base_sequence + header.last_offset_delta) & SEQUENCE_MASK
            states.note(producer_id, epoch, header.base_sequence, last_sequence, header.base_offset, now)
        else:
            states.seen(producer_id, epoch, now)
        if header.attributes & TRANSACTIONAL:
            states.begin(producer_id, header.base_offset, 0)


def is_committed(segment: Segment, position: int, header: BatchHeader) -> bool:
    """Whether a marker commits. A damaged one counts as if: a client that was told of an abort would wait for its
    marker, and leave out what its producer wrote after it."""
    try:
        return is_commit(segment.read(position, header.length + LENGTH_OVERHEAD))
    except CorruptBatchError as error:
        LOG.error("%s: position %d: %s", segment.path, position, error)
        return True
