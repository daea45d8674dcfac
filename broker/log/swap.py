"""Puts a cleaned segment in the place of those it was made from, so that a crash at any point leaves one or the other.

    cleaned-<random>/<base>.log, .index, .timeindex     complete, but nobody's yet: thrown away at the next start
    <base>-<end>-<random>.swap                          the .log of it, renamed: from here on it counts, and the next
                                                        start finishes what follows
    <base>.log, .index, .timeindex                      in place, after the segments from <base> to before <end> went

Source: `Log.replaceSegments`, `LogLoader.completeSwapOperations` of Apache Kafka (there `.cleaned`, `.swap`).
"""

from __future__ import annotations

import logging
import os
import re
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from uuid import uuid4

from broker.files import sync_directory
from broker.log.partition import PartitionLog
from broker.log.segment import Segment

LOG = logging.getLogger("broker.log")
CLEANED_PREFIX = "cleaned-"
SWAP_NAME = re.compile(r"(\d{20})-(\d{20})-([0-9a-f]{32})\.swap")
INDEX_SUFFIXES = (".index", ".timeindex")


def new_output(directory: Path) -> Path:
    """A directory for cleaned segments that is not there yet, nor was for anybody else."""
    return directory / f"{CLEANED_PREFIX}{uuid4().hex}"


def replace(log: PartitionLog, old: Sequence[Segment], cleaned: Segment) -> None:
    """Puts `cleaned`, with indexes loaded and named as in its output directory, in the place of neighbours in the log.

    They are sealed and below the high watermark. Raises OSError: before it counts, and nothing has changed; after that
    the partition takes no more writes until the next start finishes the swap.
    """
    directory = log.directory
    first = log.segments.index(old[0])
    following = log.segments[first + len(old)]
    output = cleaned.path.parent
    cleaned.open()  # stays readable under whatever name
    token = output.name.removeprefix(CLEANED_PREFIX)
    swap = directory / f"{cleaned.base_offset:020}-{following.base_offset:020}-{token}.swap"
    os.rename(cleaned.path, swap)
    cleaned.path = directory / cleaned.path.name
    log.segments[first : first + len(old)] = [cleaned]
    log.reader.forget()  # positions in segments that are no more
    if cleaned.base_offset <= log.visible_end[0] < following.base_offset:
        log.visible_end = following.base_offset, 0
    for segment in old:
        segment.close()
    try:
        if log.durable:
            sync_directory(directory)
        finish(swap, [segment.base_offset for segment in old], durable=log.durable)
    except OSError as error:
        log.failed = error
        LOG.error(
            "%s: %s is not in its place (%s); the partition takes no more writes until the broker is restarted",
            log.name,
            swap.name,
            error,
        )
        raise


def finish(swap: Path, replaced: Iterable[int], *, durable: bool) -> None:
    """What follows when a swap counts; may be done again from any point. `replaced`: base offsets."""
    match = SWAP_NAME.fullmatch(swap.name)
    assert match is not None
    directory = swap.parent
    base_offset, output = int(match[1]), directory / f"{CLEANED_PREFIX}{match[3]}"
    for replaced_base in replaced:
        if replaced_base != base_offset:
            Segment(directory, replaced_base).delete()
    for suffix in INDEX_SUFFIXES:
        cleaned = output / f"{base_offset:020}{suffix}"
        if cleaned.exists():
            os.replace(cleaned, directory / cleaned.name)
    os.replace(swap, directory / f"{base_offset:020}.log")
    if durable:
        sync_directory(directory)


def recover_swaps(directory: Path, *, durable: bool) -> None:
    """Finishes the swaps that a crash cut short, and throws away what was not complete. Raises OSError."""
    names = sorted(os.listdir(directory))
    for name in names:
        match = SWAP_NAME.fullmatch(name)
        if match is not None:
            LOG.info("%s: finishing %s", directory.name, name)
            logs = [int(path.stem) for path in directory.glob("*.log")]
            replaced = [base for base in logs if int(match[1]) <= base < int(match[2])]
            finish(directory / name, replaced, durable=durable)
    for name in names:
        if name.startswith(CLEANED_PREFIX):
            shutil.rmtree(directory / name)
