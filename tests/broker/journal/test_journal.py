"""The journal: what is written together, in which order, and what comes of a failure."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from broker.journal.entry import Entry, Marker, ProducerIdentity
from broker.journal.journal import Journal
from tests.broker.journal.memory_log import MemoryJournalLog

WHO = ProducerIdentity(7, 1)


def run(work: Callable[[Journal, MemoryJournalLog], Awaitable[None]]) -> None:
    async def prepared() -> None:
        log = MemoryJournalLog()
        journal = Journal(log)
        await work(journal, log)
        await journal.close()

    asyncio.run(prepared())


def test_writes_of_a_tick_are_one_batch() -> None:
    async def work(journal: Journal, log: MemoryJournalLog) -> None:
        futures = [journal.write("k", [(b"%d" % number, b"v")]) for number in range(5)]
        assert await asyncio.gather(*futures) == [True] * 5
        assert [len(batch) for batch in log.batches] == [5]

    run(work)


def test_order_is_kept_between_transactional_records_and_markers() -> None:
    """Nothing of a transaction may come behind its marker: it would open one that nobody ends."""

    async def work(journal: Journal, log: MemoryJournalLog) -> None:
        journal.write("k", [(b"1", b"plain")])
        journal.write("k", [(b"2", b"held")], WHO)
        journal.mark(0, WHO, commit=True)
        journal.write("k", [(b"3", b"plain")])
        journal.write("k", [(b"4", b"plain")])
        journal.write("k", [(b"5", b"held")], WHO)
        assert await journal.mark(0, WHO, commit=False)
        assert list(log.replay()) == [
            Entry(b"1", b"plain"),
            Entry(b"2", b"held", 7),
            Marker(0, 7, True),
            Entry(b"3", b"plain"),
            Entry(b"4", b"plain"),
            Entry(b"5", b"held", 7),
            Marker(0, 7, False),
        ]
        assert len(log.written) == 6

    run(work)


def test_failure_of_the_storage_is_told_to_all_who_wrote() -> None:
    async def work(journal: Journal, log: MemoryJournalLog) -> None:
        log.fault = OSError(28, "No space left on device")
        assert await asyncio.gather(journal.write("a", [(b"1", b"v")]), journal.write("b", [(b"2", b"v")])) == [
            False,
            False,
        ]
        log.fault = None
        assert await journal.write_and_wait("a", [(b"3", b"v")])
        assert log.batches == [[(b"3", b"v")]]

    run(work)
